#include "pipeline_serve/api/openai/options.h"

#include <algorithm>
#include <charconv>
#include <random>
#include <string_view>

#include "penstock/json.h"
#include "pipeline_run/input/json_raw.h"
#include "pipeline_run/input/openai_names.h"
#include "pipeline_serve/api/openai/random.h"

namespace penstock::serve {
namespace {

/// What the API allows, whatever a pipeline might.
struct Bounds {
  const char* theirs;
  double least, most;
};
constexpr Bounds kBounds[]{{"temperature", 0, 2},
                           {"top_p", 0, 1},
                           {"frequency_penalty", -2, 2},
                           {"presence_penalty", -2, 2},
                           {"n", 1, 128}};
constexpr double kMostBias = 100;
constexpr std::size_t kMostStops = 4;
/// Where the API begins at 0 and a pipeline just above it.
constexpr double kLeastTopP = 1e-9;
/// Seeds of a pipeline are exact in a double.
constexpr std::int64_t kSeeds = 9'000'000'000'000'000;

std::string ours_of(const std::string& theirs) {
  if (theirs == "max_output_tokens") return "max_new_tokens";
  return run::our_name(theirs);
}

std::string theirs_of(const std::string& ours) {
  if (ours == "max_new_tokens") return "max_tokens";
  for (const auto& option : run::openai_options()) {
    if (option.ours == ours) return option.theirs;
  }
  return ours;
}

void check_bounds(const std::string& theirs, const JsonView& value) {
  for (const Bounds& bounds : kBounds) {
    if (theirs != bounds.theirs) continue;
    const double number = value.real();
    if (number >= bounds.least && number <= bounds.most) continue;
    value.fail(
        str("is ", number, ", expected ", bounds.least, " to ", bounds.most));
  }
}

void check_stop(const JsonView& value) {
  const auto texts =
      value.is_array() ? value.items() : std::vector<JsonView>{value};
  if (texts.size() > kMostStops) {
    value.fail(str("has ", texts.size(), " texts; the most is ", kMostStops));
  }
  for (const JsonView& each : texts) {
    if (each.text().empty()) each.fail("is empty: it would stop everything");
  }
}

/// An object of token ids and numbers.
void check_bias(const JsonView& value, std::int64_t vocabulary) {
  for (const auto& [key, bias] : value.members()) {
    std::int64_t id = -1;
    const char* end = key.data() + key.size();
    const auto read = std::from_chars(key.data(), end, id);
    const bool is_id = read.ec == std::errc() && read.ptr == end && id >= 0;
    if (!is_id || (vocabulary > 0 && id >= vocabulary)) {
      value.fail(str("has '", key.substr(0, 32),
                     "', which is no token id of the vocabulary of ",
                     vocabulary));
    }
    const double number = bias.real();
    if (number < -kMostBias || number > kMostBias) {
      value.fail(str("has ", number, " for token ", id, ", expected ",
                     -kMostBias, " to ", kMostBias));
    }
  }
}

/// A whole number may be written 5.0.
Raw number_raw(const JsonView& value) {
  const auto* real = std::get_if<double>(&value.value().data);
  if (real != nullptr && *real == static_cast<double>(static_cast<std::int64_t>(
                                      std::clamp(*real, -9e15, 9e15)))) {
    return RawScalar{.text = std::to_string(static_cast<std::int64_t>(*real))};
  }
  return run::json_raw(value);
}

/// Any integer of theirs as one of ours; those in bounds stay as they are.
Raw seed_raw(const JsonView& value) {
  const std::int64_t seed = value.integer();
  const auto folded = static_cast<std::int64_t>(
      static_cast<std::uint64_t>(seed) % static_cast<std::uint64_t>(kSeeds));
  const bool is_fine = seed >= 0 && seed <= kSeeds;
  return RawScalar{.text = std::to_string(is_fine ? seed : folded)};
}

Raw raw_of(const std::string& theirs, const JsonView& value,
           const TextModel& model) {
  check_bounds(theirs, value);
  if (theirs == "seed") return seed_raw(value);
  if (theirs == "stop") check_stop(value);
  if (theirs == "logit_bias") check_bias(value, model.vocabulary());
  if (theirs == "top_p") {
    return RawScalar{.text = penstock::json_text(
                         JsonValue{std::max(value.real(), kLeastTopP)})};
  }
  return number_raw(value);
}

/// Throws HttpError where the pipeline does not take it.
void check_param(const TextModel& model, const std::string& ours,
                 const Raw& raw, const std::string& theirs) {
  const ParamSpec* spec = model.option(ours);
  if (spec == nullptr) {
    throw HttpError(bad_request(
        str("the model '", model.name(), "' has no option ", theirs), theirs));
  }
  try {
    (void)parse_param(*spec, raw);
  } catch (const Error& error) {
    throw HttpError(bad_request(str(theirs, ": ", error.text()), theirs));
  }
}

/// Of two limits the smaller.
void keep_smaller(Options& options, const std::string& ours, const Raw& raw) {
  const auto number = [](const Raw& value) {
    return std::stoll(std::get<RawScalar>(value).text);
  };
  const auto [at, is_new] = options.emplace(ours, raw);
  if (!is_new && number(raw) < number(at->second)) at->second = raw;
}

}  // namespace

Options options_of(const Body& body, const TextModel& model,
                   const std::vector<std::string>& names) {
  Options options;
  for (const std::string& theirs : names) {
    const auto value = body.find(theirs);
    if (!value) continue;
    const std::string ours = ours_of(theirs);
    const Raw raw = reading([&] { return raw_of(theirs, *value, model); });
    check_param(model, ours, raw, theirs);
    if (ours == "max_new_tokens") {
      keep_smaller(options, ours, raw);
    } else {
      options[ours] = raw;
    }
  }
  return options;
}

void set_option(Options& options, const TextModel& model,
                const std::string& ours, std::int64_t value,
                const std::string& theirs) {
  const Raw raw = RawScalar{.text = std::to_string(value)};
  check_param(model, ours, raw, theirs);
  options[ours] = raw;
}

double number_of(const Options& options, const TextModel& model,
                 const std::string& ours, double fallback) {
  const auto found = options.find(ours);
  const ParamSpec* spec = model.option(ours);
  if (spec == nullptr) return fallback;
  const auto value = found == options.end()
                         ? model.setting(ours).value_or(spec->fallback)
                         : parse_param(*spec, found->second);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    return static_cast<double>(*whole);
  }
  return fallback;
}

void set_random_seed(Options& options, const TextModel& model) {
  if (model.option("seed") == nullptr) return;
  std::uniform_int_distribution<std::int64_t> draw(0, kSeeds);
  options["seed"] = RawScalar{.text = std::to_string(draw(random_engine()))};
}

HttpError option_error(const Error& error) {
  std::string text = error.text();
  // "options: n is 3, ...", "option 'seed': ...", "logit_bias: ..."
  for (const std::string_view begin : {"options: ", "option "}) {
    if (text.starts_with(begin)) text.erase(0, begin.size());
  }
  std::string name = text.substr(0, text.find_first_of(" :"));
  std::erase(name, '\'');
  std::string param;
  for (const auto& option : run::openai_options()) {
    if (option.ours == name) param = theirs_of(name);
    // Nobody who asks knows ours.
    const auto at = text.find(option.ours);
    if (at == std::string::npos || option.ours == theirs_of(option.ours)) {
      continue;
    }
    text.replace(at, option.ours.size(), theirs_of(option.ours));
  }
  return bad_request(text, param);
}

}  // namespace penstock::serve
