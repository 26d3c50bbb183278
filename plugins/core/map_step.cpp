#include "core/map_step.h"

#include <re2/re2.h>

#include <utility>

#include "core/map_json.h"
#include "penstock/error.h"

namespace penstock::core {
namespace {

/// `{text}` and `{names}`; "{{" and "}}" are braces.
class TemplateStep final : public MapStep {
 public:
  explicit TemplateStep(const MapStepOptions& options)
      : max_bytes_(options.max_bytes) {
    parse(options.by);
  }

  std::vector<std::string> texts(const std::string& text,
                                 const InputText& input) const override {
    const JsonText json(text);
    std::string out;
    for (const auto& [plain, name] : parts_) {
      out += plain;
      if (!name.empty()) out += value(text, json, name, input);
      check_bytes(out, max_bytes_);
    }
    return {std::move(out)};
  }

 private:
  struct Part {
    std::string plain;
    std::string name;  ///< stands behind it; empty: nothing
  };

  void parse(const std::string& form) {
    parts_.emplace_back();
    for (std::size_t i = 0; i < form.size(); ++i) {
      const bool is_brace = form[i] == '{' || form[i] == '}';
      if (!is_brace) {
        parts_.back().plain += form[i];
      } else if (i + 1 < form.size() && form[i + 1] == form[i]) {
        parts_.back().plain += form[i++];
      } else {
        i = take_name(form, i);
      }
    }
  }

  std::size_t take_name(const std::string& form, std::size_t begin) {
    const std::size_t end = form.find_first_of("{}", begin + 1);
    if (form[begin] == '}' || end == std::string::npos || form[end] != '}' ||
        end == begin + 1) {
      throw Error(Code::kData,
                  str("the template has a '", form[begin], "' at character ",
                      begin + 1, " that is no {name}; write ", form[begin],
                      form[begin], " for the character itself"));
    }
    parts_.back().name = form.substr(begin + 1, end - begin - 1);
    parts_.emplace_back();
    return end;
  }

  static std::string value(const std::string& text, const JsonText& json,
                           const std::string& name, const InputText& input) {
    if (auto found = json.find(name)) return *std::move(found);
    if (name == "text") return text;
    if (const std::string* given = input(name)) return *given;
    throw Error(Code::kData, str("the template's {", name,
                                 "} is neither a member of the "
                                 "text's JSON object",
                                 json.keys(), " nor an input of the request"));
  }

  std::int64_t max_bytes_;
  std::vector<Part> parts_;
};

/// Texts out of a JSON document.
class JsonStep final : public MapStep {
 public:
  explicit JsonStep(const MapStepOptions& options) : options_(options) {}

  std::vector<std::string> texts(const std::string& text,
                                 const InputText& /*input*/) const override {
    const JsonText json(text);
    if (options_.step == "join") {
      std::string out;
      for (const std::string& each : json.list("", options_.max_texts)) {
        out += (out.empty() ? "" : options_.by) + each;
        check_bytes(out, options_.max_bytes);
      }
      return {std::move(out)};
    }
    if (options_.step == "each") {
      return json.list(options_.by, options_.max_texts);
    }
    return {json.at(options_.by)};
  }

 private:
  MapStepOptions options_;
};

class SplitStep final : public MapStep {
 public:
  explicit SplitStep(const MapStepOptions& options)
      : between_(options.by), max_texts_(options.max_texts) {
    if (between_.empty()) {
      throw Error(
          Code::kData,
          "split needs `by`, the text between two pieces, such as \"\\n\"");
    }
  }

  std::vector<std::string> texts(const std::string& text,
                                 const InputText& /*input*/) const override {
    std::vector<std::string> out;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find(between_, at), text.size());
      if (end > at) out.push_back(text.substr(at, end - at));
      if (static_cast<std::int64_t>(out.size()) > max_texts_) {
        throw Error(Code::kData, str("the text has more than ", max_texts_,
                                     " pieces; set max_items for more"));
      }
      at = end + between_.size();
    }
    return out;
  }

 private:
  std::string between_;
  std::int64_t max_texts_;
};

/// filter, drop and replace; RE2, since its time is linear in the text.
class RegexStep final : public MapStep {
 public:
  explicit RegexStep(const MapStepOptions& options)
      : options_(options), regex_(options.by, quiet()) {
    if (!regex_.ok()) {
      throw Error(Code::kData, str("'", options.by,
                                   "' is no regular expression "
                                   "(RE2): ",
                                   regex_.error()));
    }
    std::string why;
    if (options.step == "replace" &&
        !regex_.CheckRewriteString(options.with, &why)) {
      throw Error(Code::kData, str("`with` is '", options.with, "': ", why));
    }
  }

  std::vector<std::string> texts(const std::string& text,
                                 const InputText& /*input*/) const override {
    if (options_.step != "replace") {
      const bool is_found = RE2::PartialMatch(text, regex_);
      if (is_found != (options_.step == "filter")) return {};
      return {text};
    }
    std::string out = text;
    RE2::GlobalReplace(&out, regex_, options_.with);
    check_bytes(out, options_.max_bytes);
    return {std::move(out)};
  }

 private:
  static RE2::Options quiet() {
    RE2::Options options;
    options.set_log_errors(false);
    return options;
  }

  MapStepOptions options_;
  RE2 regex_;
};

}  // namespace

std::unique_ptr<const MapStep> make_map_step(const MapStepOptions& options) {
  const std::string& step = options.step;
  if (!options.with.empty() && step != "replace") {
    throw Error(Code::kData, str("`with` is for step: replace, not ", step));
  }
  if (step == "template") return std::make_unique<TemplateStep>(options);
  if (step == "split") return std::make_unique<SplitStep>(options);
  if (step == "get" || step == "each" || step == "join") {
    return std::make_unique<JsonStep>(options);
  }
  return std::make_unique<RegexStep>(options);
}

void check_bytes(const std::string& text, std::int64_t most) {
  if (static_cast<std::int64_t>(text.size()) <= most) return;
  throw Error(Code::kData, str("the text has more than ", most,
                               " bytes; set max_bytes for longer ones"));
}

}  // namespace penstock::core
