#include "pipeline_serve/api/openai/body.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "pipeline_run/input/openai_names.h"

namespace penstock::serve {
namespace {

/// What JsonView calls the body in its complaints.
constexpr const char* kBody = "the body";

/// A hint changes no answer, but must be one.
struct Hint {
  const char* name;
  void (*check)(const JsonView& value);
};

void is_text(const JsonView& value) { (void)value.text(); }

void is_map(const JsonView& value) {
  constexpr std::size_t kMost = 16;
  const auto members = value.members();
  if (members.size() > kMost) {
    value.fail(str("has ", members.size(), " entries; the most is ", kMost));
  }
  for (const auto& [key, text] : members) (void)text.text();
}

void is_not_stored(const JsonView& value) {
  if (value.boolean()) value.fail("is true, but nothing is stored here");
}

void is_usual_tier(const JsonView& value) {
  if (value.text() == "auto" || value.text() == "default") return;
  value.fail("is another tier than auto and default");
}

constexpr Hint kHints[]{{"user", is_text},
                        {"metadata", is_map},
                        {"store", is_not_stored},
                        {"service_tier", is_usual_tier},
                        {"safety_identifier", is_text},
                        {"prompt_cache_key", is_text},
                        {"prompt_cache_retention", is_text}};

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// True: a hint, or a field with its default.
bool says_nothing(const std::string& name, const JsonView& value) {
  const bool is_null = value.value().data.index() == 0;
  for (const Hint& hint : kHints) {
    if (name != hint.name) continue;
    if (!is_null) hint.check(value);
    return true;
  }
  for (const auto& field : run::openai_defaults()) {
    if (name != field.name) continue;
    if (!is_null) run::check_default(field, value);
    return true;
  }
  return name == "prediction" && is_null;
}

[[noreturn]] void refuse_unknown(const std::string& name,
                                 const Members& members) {
  std::vector<std::string> known = members.own;
  known.insert(known.end(), members.options.begin(), members.options.end());
  const std::string shown = name.substr(0, 64);
  throw HttpError(bad_request(
      str("'", shown, "' is not known here", suggestion(name, known)), shown));
}

}  // namespace

HttpError bad_request(const std::string& message, const std::string& param) {
  return http_error(400, message, param);
}

std::string place_of(const std::string& complaint) {
  // "messages[0].role is ...": names are quoted where members were walked.
  std::string place;
  bool is_quoted = false;
  for (const char byte : complaint) {
    if (!is_quoted && (byte == ' ' || byte == ':')) break;
    is_quoted = is_quoted != (byte == '\'');
    place += byte;
  }
  for (const char* word :
       {"is", "has", "nested", "more", "the", "a", "refers", "would", "not"}) {
    if (place == word) return "";
  }
  // "70000 bytes are too many".
  if (!place.empty() && place[0] >= '0' && place[0] <= '9') return "";
  std::erase(place, '\'');
  return place;
}

HttpError bad_request(const Error& error) {
  std::string message = error.text();
  const std::string prefix = str(kBody, ": ");
  if (!message.starts_with(prefix)) return bad_request(message);
  message.erase(0, prefix.size());
  const std::string place = place_of(message);
  return bad_request(place.empty() ? str(kBody, " ", message) : message, place);
}

Body::Body(const std::string& text) {
  reading([&] {
    // Its size was looked at while it came.
    json_ = parse_json(text, kBody, {.bytes = text.size(), .depth = 32});
    (void)view().members();
  });
}

JsonView Body::view() const { return {json_, kBody}; }

std::optional<JsonView> Body::find(const std::string& name) const {
  return view().find(name);
}

JsonView Body::at(const std::string& name) const {
  if (auto found = find(name)) return *std::move(found);
  throw HttpError(bad_request(str("'", name, "' is missing"), name));
}

std::string Body::text(const std::string& name,
                       const std::string& fallback) const {
  const auto found = find(name);
  return found ? reading([&] { return found->text(); }) : fallback;
}

bool Body::flag(const std::string& name) const {
  const auto found = find(name);
  return found && reading([&] { return found->boolean(); });
}

std::optional<std::int64_t> Body::integer(const std::string& name,
                                          std::int64_t least,
                                          std::int64_t most) const {
  const auto found = find(name);
  if (!found) return std::nullopt;
  return reading([&] { return found->integer(least, most); });
}

void check_members(const Body& body, const Members& members) {
  for (const auto& [name, value] : body.view().members()) {
    if (has(members.own, name) || has(members.options, name)) continue;
    const bool is_silent = reading(
        [&, &key = name, &view = value] { return says_nothing(key, view); });
    if (!is_silent) refuse_unknown(name, members);
  }
}

}  // namespace penstock::serve
