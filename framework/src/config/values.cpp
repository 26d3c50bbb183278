#include "config/values.h"

#include <string_view>

#include "base/quote.h"
#include "config/expand.h"

namespace penstock::config {
namespace {

constexpr std::string_view kDigits = "0123456789";
/// As many GPUs as a machine has.
constexpr std::size_t kMostReplicas = 16;

bool is_name(std::string_view text) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of(kLetters) == text.npos;
}

/// "cuda:1" for what people write instead of it, else "".
std::string cuda_name(const std::string& text) {
  const std::string_view given = text;
  std::string_view number;
  if (given.starts_with("gpu")) {
    number = given.substr(3);
  } else if (given.starts_with("cuda")) {
    number = given.substr(4);
  } else {
    return "";
  }
  const auto digits = number.find_first_of(kDigits);
  if (digits == number.npos) return "cuda";
  number.remove_prefix(digits);
  const bool is_number = number.find_first_not_of(kDigits) == number.npos;
  return is_number && number.size() <= 3 ? "cuda:" + std::string(number)
                                         : "cuda";
}

bool is_device(std::string_view text) {
  if (text == "cpu" || text == "cuda" || text == "auto") return true;
  if (!text.starts_with("cuda:")) return false;
  const auto number = text.substr(5);
  const bool has_zeros = number.size() > 1 && number[0] == '0';
  return !number.empty() && number.size() <= 3 && !has_zeros &&
         number.find_first_not_of(kDigits) == number.npos;
}

}  // namespace

std::string model_seen_from(const std::filesystem::path& file,
                            const std::string& text) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (text.empty() || fs::path(text).is_absolute()) return text;
  if (fs::exists(text, error)) return text;
  const fs::path beside = file.parent_path() / text;
  return fs::exists(beside, error) ? beside.string() : text;
}

std::string unknown_key(const std::string& key,
                        const std::vector<std::string>& known) {
  const auto near = suggestion(key, known);
  return "unknown key " + shown(key) +
         (near.empty() ? "; known: " + joined(known) : near);
}

std::string yaml_of(const Raw& raw) {
  const auto text = [](const RawScalar& scalar) {
    return scalar.quoted ? yaml_text(scalar.text) : yaml_plain(scalar.text);
  };
  if (const auto* scalar = std::get_if<RawScalar>(&raw)) return text(*scalar);
  std::vector<std::string> items;
  for (const auto& item : std::get<std::vector<RawScalar>>(raw)) {
    items.push_back(text(item));
  }
  return "[" + joined(items) + "]";
}

std::string description(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "an empty value";
    case YamlNode::Kind::kScalar:
      return shown(node.text);
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

std::optional<RawScalar> read_scalar(const YamlNode& node,
                                     const std::string& wanted,
                                     Problems& problems) {
  if (node.kind != YamlNode::Kind::kScalar) {
    problems.add(node.at, "expected " + wanted + ", not " + description(node));
    return std::nullopt;
  }
  try {
    return expanded(node);
  } catch (const Error& error) {
    problems.add(node.at, error.text());
    return std::nullopt;
  }
}

std::optional<Raw> read_raw(const YamlNode& node, const std::string& wanted,
                            Problems& problems) {
  if (node.kind != YamlNode::Kind::kList) {
    const auto scalar = read_scalar(node, wanted, problems);
    return scalar ? std::optional<Raw>(*scalar) : std::nullopt;
  }
  std::vector<RawScalar> items;
  for (const auto& item : node.items) {
    const auto scalar = read_scalar(*item, wanted, problems);
    if (scalar) items.push_back(*scalar);
  }
  if (items.size() < node.items.size()) return std::nullopt;
  return items;
}

std::optional<ParamValue> read_param(const YamlNode& node,
                                     const ParamSpec& spec,
                                     Problems& problems) {
  const auto raw = read_raw(node, expected(spec), problems);
  if (!raw) return std::nullopt;
  try {
    return parse_param(spec, *raw);
  } catch (const Error& error) {
    problems.add(node.at, error.text());
    return std::nullopt;
  }
}

void check_name(const std::string& text) {
  if (is_name(text)) return;
  throw Error(Code::kData,
              "expected a name of 1 to 64 letters, digits, '.', '_' or '-', "
              "not " +
                  shown(text));
}

void check_use(const std::string& text) {
  const auto dot = text.find('.');
  const bool has_halves = dot != text.npos && dot > 0 && dot + 1 < text.size();
  if (has_halves && is_name(text)) return;
  throw Error(Code::kData,
              "expected plugin.stage, such as core.pad, not " + shown(text));
}

void check_device(const std::string& text) {
  if (is_device(text)) return;
  const std::string cuda = cuda_name(text);
  const std::string hint = is_device(cuda)
                               ? ", did you mean '" + cuda + "'?"
                               : suggestion(text, {"cpu", "cuda", "auto"});
  throw Error(Code::kData,
              "expected cpu, cuda, cuda:N or auto, not " + shown(text) + hint);
}

std::string device_text(const Raw& raw) {
  if (const auto* scalar = std::get_if<RawScalar>(&raw)) {
    check_device(scalar->text);
    return scalar->text;
  }
  const auto& items = std::get<std::vector<RawScalar>>(raw);
  if (items.empty() || items.size() > kMostReplicas) {
    throw Error(Code::kData, str("expected 1 to ", kMostReplicas,
                                 " devices, not ", items.size()));
  }
  std::vector<std::string> names;
  for (const RawScalar& item : items) {
    check_device(item.text);
    if (item.text == "auto") {
      throw Error(Code::kData,
                  "a list names each device; auto, which chooses one, stands "
                  "alone");
    }
    names.push_back(item.text);
  }
  return names.size() == 1 ? names.front() : "[" + joined(names) + "]";
}

void check_copies(const std::string& text) {
  if (text == "allow" || text == "deny") return;
  throw Error(Code::kData, "expected allow or deny, not " + shown(text) +
                               suggestion(text, {"allow", "deny"}));
}

const ParamSpec& text_spec() {
  static const ParamSpec spec{.name = {},
                              .doc = {},
                              .fallback = std::string(),
                              .min = {},
                              .max = {},
                              .choices = {}};
  return spec;
}

const ParamSpec& threads_spec() {
  static const ParamSpec spec{.name = "threads",
                              .doc = {},
                              .fallback = std::int64_t{0},
                              .min = 0,
                              .max = 1024,
                              .choices = {}};
  return spec;
}

}  // namespace penstock::config
