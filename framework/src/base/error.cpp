#include "penstock/error.h"

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

Error::Error(Code code, const std::string& text)
    : std::runtime_error(text), code_(code), full_(text) {}

Error::~Error() = default;  // the key function: one typeinfo for all plugins

const char* Error::what() const noexcept { return full_.c_str(); }

std::string Error::text() const { return std::runtime_error::what(); }

Error& Error::in(const std::string& place) {
  full_ += "\n  in " + place;
  return *this;
}

Cancelled::Cancelled() : Error(Code::kCancelled, "cancelled") {}
Cancelled::~Cancelled() = default;

}  // namespace penstock
