#include "pipeline_new/names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "penstock/error.h"
#include "penstock/params.h"

namespace penstock::fresh {
namespace {

/// What cannot name a namespace, and namespaces that are taken.
constexpr auto kReserved = std::to_array<std::string_view>(
    {"alignas",   "alignof",   "and",       "asm",      "at",       "auto",
     "bitand",    "bitor",     "bool",      "break",    "c10",      "case",
     "catch",     "char",      "class",     "compl",    "concept",  "const",
     "consteval", "constexpr", "constinit", "continue", "decltype", "default",
     "delete",    "do",        "double",    "else",     "enum",     "explicit",
     "export",    "extern",    "fake",      "false",    "float",    "for",
     "friend",    "goto",      "if",        "inline",   "int",      "linux",
     "long",      "mutable",   "namespace", "new",      "noexcept", "not",
     "nullptr",   "operator",  "or",        "penstock", "private",  "protected",
     "public",    "register",  "requires",  "return",   "short",    "signed",
     "sizeof",    "static",    "std",       "struct",   "switch",   "template",
     "testing",   "this",      "throw",     "torch",    "true",     "try",
     "typedef",   "typeid",    "typename",  "union",    "unix",     "unsigned",
     "using",     "virtual",   "void",      "volatile", "while",    "xor"});

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(Code::kUsage, problem);
}

/// What both plugins and stages are named by.
void check_word(const std::string& what, const std::string& name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (!name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
      std::all_of(name.begin(), name.end(), is_allowed)) {
    return;
  }
  refuse(str("'", name, "' cannot name a ", what,
             "; a name is 1 to 64 of the characters a-z, 0-9 and _, and begins "
             "with a letter"));
}

std::string kind_words() {
  std::string words;
  for (const StageKind kind : kinds()) {
    words += (words.empty() ? "" : ", ") + to_string(kind);
  }
  return words;
}

WantedStage parse_stage(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) {
    refuse(
        str("--stage ", text,
            ": write KIND:NAME, as preprocess:resize; kinds: ", kind_words()));
  }
  const std::string word = text.substr(0, colon);
  std::vector<std::string> known;
  for (const StageKind kind : kinds()) {
    known.push_back(to_string(kind));
    if (known.back() != word) continue;
    WantedStage stage{.kind = kind, .name = text.substr(colon + 1)};
    check_word("stage", stage.name);
    if (stage.name == "plugin") {
      refuse(
          "a stage cannot be named 'plugin': its file would be plugin.cpp, "
          "which lists the stages");
    }
    return stage;
  }
  refuse(str("--stage ", text, ": there is no kind '", word, "'",
             suggestion(word, known), "; kinds: ", kind_words()));
}

}  // namespace

const std::vector<StageKind>& kinds() {
  static const std::vector<StageKind> kAllKinds{
      StageKind::kPreprocess, StageKind::kBatch, StageKind::kForward,
      StageKind::kDecode, StageKind::kPostprocess};
  return kAllKinds;
}

void check_plugin_name(const std::string& name) {
  check_word("plugin", name);
  if (std::find(kReserved.begin(), kReserved.end(), name) == kReserved.end()) {
    return;
  }
  refuse(str("'", name,
             "' cannot name a plugin: C++ or a library has that "
             "word, and the name becomes a namespace"));
}

std::string without_yaml(const std::string& name) {
  return name.ends_with(".yaml") ? name.substr(0, name.size() - 5) : name;
}

void check_file_name(const std::string& name) {
  check_word("pipeline", without_yaml(name));
}

std::vector<WantedStage> parse_stages(const std::vector<std::string>& texts) {
  std::vector<WantedStage> stages;
  for (const std::string& text : texts) {
    WantedStage stage = parse_stage(text);
    const bool is_taken = std::any_of(
        stages.begin(), stages.end(),
        [&](const WantedStage& other) { return other.name == stage.name; });
    if (is_taken) refuse(str("two stages are named '", stage.name, "'"));
    stages.push_back(std::move(stage));
  }
  if (stages.empty()) {
    refuse(str("name a stage at least, as --stage preprocess:resize; kinds: ",
               kind_words()));
  }
  return stages;
}

std::string camel_case(const std::string& name) {
  std::string out;
  bool is_start = true;
  for (const char c : name) {
    if (c == '_') {
      is_start = true;
      continue;
    }
    out += is_start
               ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
               : c;
    is_start = false;
  }
  return out;
}

}  // namespace penstock::fresh
