#include "penstock/error.h"

#include <utility>

namespace penstock {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::kUsage:
      return "usage";
    case Code::kData:
      return "data";
    case Code::kNotFound:
      return "not_found";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kInternal:
      return "internal";
    case Code::kRetry:
      return "retry";
    case Code::kCancelled:
      return "cancelled";
  }
  return "internal";
}

Place Place::request(const std::string& id) {
  return {.kind = Kind::kRequest, .name = id, .detail = ""};
}
Place Place::step(const std::string& name) {
  return {.kind = Kind::kStep, .name = name, .detail = ""};
}
Place Place::input(const std::string& name) {
  return {.kind = Kind::kInput, .name = name, .detail = ""};
}

std::string Place::text() const {
  switch (kind) {
    case Kind::kStage:
      return "stage '" + name + "' (" + detail + ")";
    case Kind::kRequest:
      return "request '" + name + "'";
    case Kind::kStep:
      return "step '" + name + "'";
    case Kind::kSink:
      return "the sink of the results";
    case Kind::kInput:
    case Kind::kOther:
      return name;
  }
  return name;
}

Error::Error(Code code, const std::string& text)
    : std::runtime_error(text), code_(code), full_(text) {}

Error::~Error() = default;  // the key function: one typeinfo for all plugins

const char* Error::what() const noexcept { return full_.c_str(); }

std::string Error::text() const { return std::runtime_error::what(); }

std::string Error::text_without(Place::Kind kind) const {
  std::string out = text();
  for (const Place& place : places_) {
    if (place.kind != kind) out += "\n  in " + place.text();
  }
  return out;
}

Error& Error::in(Place place) {
  full_ += "\n  in " + place.text();
  places_.push_back(std::move(place));
  return *this;
}

Error& Error::in(const std::string& place) {
  return in(Place{.kind = Place::Kind::kOther, .name = place, .detail = ""});
}

Cancelled::Cancelled() : Error(Code::kCancelled, "cancelled") {}
Cancelled::~Cancelled() = default;

}  // namespace penstock
