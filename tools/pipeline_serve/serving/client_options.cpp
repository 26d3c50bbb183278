#include "pipeline_serve/serving/client_options.h"

#include <string>
#include <utility>

namespace penstock::serve {
namespace {

HttpError refusal(const std::string& option, const std::string& why) {
  return http_error(400, str("option '", option, "' ", why),
                    "options." + option, "invalid_value");
}

/// The options of one step of a request.
class StepOptions {
 public:
  StepOptions(const CompositionFile& file, const StepConfig& step,
              Request& request)
      : batch_(step.file.batch),
        prefix_(file.is_one() ? "" : step.name + "."),
        options_(request.options) {}

  /// The batch's param, where a request may set it.
  [[nodiscard]] const ParamSpec* find(const std::string& name) const {
    const ParamSpec* spec = batch_.spec->params.find(name);
    return spec != nullptr && spec->is_per_request ? spec : nullptr;
  }
  /// What the request says of it, by the name that it uses.
  [[nodiscard]] const std::pair<const std::string, Raw>* asked(
      const std::string& name) const {
    for (const std::string& key : {prefix_ + name, key_of(name)}) {
      const auto found = options_.find(key);
      if (found != options_.end()) return &*found;
    }
    return nullptr;
  }
  void set(const std::string& name, const std::string& value, bool is_text) {
    options_[key_of(name)] = RawScalar{.text = value, .quoted = is_text};
  }
  /// The value of the pipeline's file.
  [[nodiscard]] std::int64_t setting(const ParamSpec& spec) const {
    const auto found = batch_.settings.find(spec.name);
    const ParamValue& value =
        found == batch_.settings.end() ? spec.fallback : found->second.value;
    return std::get<std::int64_t>(value);
  }

 private:
  [[nodiscard]] std::string key_of(const std::string& name) const {
    return prefix_ + "batch." + name;
  }

  const StageConfig& batch_;
  std::string prefix_;
  std::map<std::string, Raw>& options_;
};

void set_own(StepOptions& options, const std::string& name,
             const std::string& value, bool is_text, bool has_client) {
  if (options.find(name) == nullptr) return;
  if (const auto* asked = options.asked(name)) {
    throw HttpError(
        refusal(asked->first, "is the server's to set, from the key"));
  }
  if (has_client) options.set(name, value, is_text);
}

void bound_priority(StepOptions& options, std::int64_t most) {
  const ParamSpec* spec = options.find("priority");
  if (spec == nullptr || spec->type() != ParamType::kInteger) return;
  const auto* asked = options.asked("priority");
  if (asked == nullptr) {
    if (options.setting(*spec) > most) {
      options.set("priority", std::to_string(most), /*is_text=*/false);
    }
    return;
  }
  // Throws what every wrong option throws.
  const auto value = std::get<std::int64_t>(parse_param(*spec, asked->second));
  if (value <= most) return;
  throw HttpError(refusal(asked->first, str("is ", value, ", but this key may ",
                                            "ask for ", most, " at most")));
}

}  // namespace

void set_client_options(const CompositionFile& file, const HttpRequest& http,
                        Request& request) {
  const bool has_client = !http.client.empty();
  for (const StepConfig& step : file.steps) {
    StepOptions options(file, step, request);
    set_own(options, "client", http.client, /*is_text=*/true, has_client);
    set_own(options, "weight", str(http.terms.weight), /*is_text=*/false,
            has_client);
    if (http.terms.priority) bound_priority(options, *http.terms.priority);
  }
}

}  // namespace penstock::serve
