#include "config/overrides.h"

#include "base/quote.h"
#include "config/keys.h"
#include "config/stage_loader.h"
#include "config/values.h"
#include "penstock/text.h"

namespace penstock::config {
namespace {

/// "--set decode.top_k", "PENSTOCK_DEVICE": the key only where the source
/// does not say it.
std::string label(const Override& given) {
  std::string lower = given.source;
  for (auto& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower.ends_with(given.key) ? given.source
                                    : given.source + " " + given.key;
}

std::string text_of(const Override& given) {
  return std::get<std::string>(
      parse_param(text_spec(), raw_from_text(given.value)));
}

/// False: `given` is not about the whole file.
bool set_top(const Override& given, Draft& draft) {
  PipelineFile& file = draft.file;
  if (given.key == "name") {
    check_name(text_of(given));
    file.name = text_of(given);
    file.name_source = given.source;
  } else if (given.key == "model") {
    file.model = {text_of(given), given.source};
    draft.model = {.is_given = true, .at = {}, .override = label(given)};
  } else if (given.key == "device") {
    check_device(text_of(given));
    file.device = {text_of(given), given.source};
    draft.device = {.is_given = true, .at = {}, .override = label(given)};
  } else if (given.key == "copies") {
    check_copies(text_of(given));
    draft.copies = {.is_denied = text_of(given) == "deny",
                    .source = given.source};
  } else if (given.key == "threads") {
    file.threads = {parse_param(threads_spec(), raw_from_text(given.value)),
                    given.source};
  } else {
    return false;
  }
  return true;
}

void set_in_stage(const Override& given, const std::string& param,
                  StageDraft& stage) {
  if (param == "use") {
    throw Error(Code::kData,
                "a stage's type cannot be replaced; edit the file");
  }
  if (param == "model") {
    stage.config.model = text_of(given);
    stage.config.model_source = given.source;
    stage.model = {.is_given = true, .at = {}, .override = label(given)};
    return;
  }
  if (param == "device") {
    stage.config.device = device_text(raw_from_text(given.value));
    stage.config.device_source = given.source;
    stage.device = {.is_given = true, .at = {}, .override = label(given)};
    return;
  }
  if (stage.config.spec == nullptr) return;  // reported with its `use`
  const ParamSpec* spec = stage.config.spec->params.find(param);
  if (spec == nullptr) {
    throw Error(Code::kData,
                "unknown param" + param_hint(*stage.config.spec, param));
  }
  if (spec->name != param) {
    stage.notices.push_back(
        str(label(given), ": '", param, "' is called '", spec->name, "' now"));
  }
  stage.set(*spec, parse_param(*spec, raw_from_text(given.value)),
            given.source);
  stage.overridden_by = label(given);
  stage.param_at.erase(spec->name);
}

/// Every key that could have been meant.
std::vector<std::string> known_keys(Draft& draft, const std::string& param) {
  std::vector<std::string> keys = {"name", "model", "device", "copies",
                                   "threads"};
  for (const auto* stage : draft.stages()) {
    const auto* spec = stage->config.spec;
    if (spec != nullptr && spec->params.find(param) != nullptr) {
      keys.push_back(stage->key + "." + param);
    }
  }
  return keys;
}

[[noreturn]] void refuse_key(const Override& given, Draft& draft) {
  const auto dot = given.key.find('.');
  const std::string first = given.key.substr(0, dot);
  std::string hint;
  if (dot != given.key.npos) {
    hint = suggestion(first, stage_keys());
  } else {
    const auto keys = known_keys(draft, given.key);
    hint = keys.size() > 5 ? ", did you mean '" + keys[5] + "'?"
                           : suggestion(given.key, keys);
  }
  throw Error(Code::kData, hint.empty()
                               ? "unknown key; known: name, model, device, "
                                 "copies, threads, and <stage>.<param>"
                               : "unknown key" + hint);
}

/// Only Forward can have one: `--device [cuda:0, cuda:1]` is its own.
bool is_list_of_devices(const Override& given) {
  return given.key == "device" &&
         std::holds_alternative<std::vector<RawScalar>>(
             raw_from_text(given.value));
}

void apply_one(const Override& given, Draft& draft) {
  if (invalid_utf8(given.value)) throw Error(Code::kData, "not UTF-8");
  if (is_list_of_devices(given)) {
    set_in_stage(given, "device", draft.forward);
    return;
  }
  if (set_top(given, draft)) return;
  const auto address = find_stage(
      given.key,
      {.preprocess = draft.preprocess.size(), .rules = draft.rules.size()});
  if (!address) refuse_key(given, draft);
  if (address->rest.empty()) {
    throw Error(Code::kData,
                "names a stage; write " + given.key + ".param=value");
  }
  set_in_stage(given, address->rest, *draft.stages()[address->stage]);
}

}  // namespace

void apply(const std::vector<Override>& overrides, Draft& draft,
           Problems& problems) {
  for (const auto& given : overrides) {
    try {
      apply_one(given, draft);
    } catch (const Error& error) {
      problems.add_override(label(given), error.text());
    }
  }
}

}  // namespace penstock::config
