#include "grammar/compiler.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "grammar/compiled.h"
#include "grammar/log.h"
#include "grammar/regex_check.h"
#include "grammar/schema_check.h"
#include "penstock/error.h"

namespace penstock::grammar {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 10U;

/// Stands in no UTF-8 text.
bool is_no_utf8(const std::string& bytes) {
  if (bytes.size() != 1) return false;
  const auto byte = static_cast<unsigned char>(bytes[0]);
  return byte == 0xC0 || byte == 0xC1 || byte >= 0xF5;
}

/// JSON has line breaks between its parts and no other control characters;
/// xgrammar lets them into strings of bounded length.
bool has_control(const std::string& bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r';
  });
}

/// What each token adds to a text; nothing: it is never allowed.
std::vector<std::string> texts_of(const Vocabulary& vocabulary, bool is_json) {
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(vocabulary.size()));
  for (std::int64_t id = 0; id < vocabulary.size(); ++id) {
    std::string text = vocabulary.bytes(id);
    if (is_no_utf8(text) || (is_json && has_control(text))) text.clear();
    out.push_back(std::move(text));
  }
  return out;
}

void check_size(const Source& source) {
  // That of calls is longer than what was asked; tools_rule.cpp looked at it.
  if (source.kind == Kind::kCalls || source.text.size() <= kMostBytes) return;
  throw Error(Code::kData,
              str(name_of(source.kind), ": ", source.text.size(),
                  " bytes are too many; the most is ", kMostBytes));
}

/// Refuses what xgrammar could not do in time, or would leave out.
void check(const Source& source) {
  check_size(source);
  if (source.kind == Kind::kSchema) check_schema(source.text);
  if (source.kind == Kind::kRegex) check_regex(source.text, "regex");
}

}  // namespace

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kSchema:
      return "json_schema";
    case Kind::kJson:
      return "json";
    case Kind::kRegex:
      return "regex";
    case Kind::kGrammar:
      return "grammar";
    case Kind::kLark:
      return "lark";
    case Kind::kCalls:
      return "tools";
  }
  return "";
}

struct Compiler::Impl {
  // Our own cache knows what requests still use. One thread: the callers are
  // several already.
  mutable xgrammar::GrammarCompiler json;
  const Vocabulary& vocabulary;
  std::vector<int> ends;
  mutable std::once_flag is_made;
  mutable std::optional<xgrammar::GrammarCompiler> plain;  ///< made when asked

  Impl(const Vocabulary& tokens, std::vector<int> end_ids)
      : json(compiler_of(tokens, end_ids, /*is_json=*/true)),
        vocabulary(tokens),
        ends(std::move(end_ids)) {}

  static xgrammar::GrammarCompiler compiler_of(const Vocabulary& vocabulary,
                                               const std::vector<int>& ends,
                                               bool is_json) {
    const xgrammar::TokenizerInfo tokens(
        texts_of(vocabulary, is_json), xgrammar::VocabType::RAW,
        static_cast<int>(vocabulary.size()), ends);
    return {tokens, /*max_threads=*/1, /*cache_enabled=*/false};
  }

  [[nodiscard]] xgrammar::CompiledGrammar compile(const Source& source) const {
    const bool any = source.any_whitespace;
    if (source.kind == Kind::kSchema) {
      return json.CompileJSONSchema(source.text, any);
    }
    if (source.kind == Kind::kJson) {
      return json.CompileJSONSchema(R"({"type": "object"})", any, {}, {},
                                    /*strict_mode=*/false);
    }
    std::call_once(is_made, [&] {
      plain.emplace(compiler_of(vocabulary, ends, /*is_json=*/false));
    });
    if (source.kind == Kind::kRegex) return plain->CompileRegex(source.text);
    if (source.kind == Kind::kLark) return plain->CompileLark(source.text);
    if (source.kind == Kind::kCalls) {
      return plain->CompileStructuralTag(source.text);
    }
    return plain->CompileGrammar(source.text);
  }
};

Compiler::Compiler(std::shared_ptr<const Vocabulary> vocabulary,
                   const Tokens& ends)
    : vocabulary_(std::move(vocabulary)) {
  for (const std::int64_t id : ends) {
    if (id < 0 || id >= vocabulary_->size()) continue;
    ends_.push_back(static_cast<int>(id));
  }
}

const Compiler::Impl& Compiler::impl() const {
  std::call_once(is_made_, [this] {
    impl_ = std::make_unique<const Impl>(*vocabulary_, ends_);
  });
  return *impl_;
}

Compiler::~Compiler() = default;

std::shared_ptr<const Compiled> Compiler::compile(const Source& source) const {
  check(source);
  Warnings warnings;
  try {
    auto grammar = impl().compile(source);
    if (!warnings.all().empty()) {
      throw Error(Code::kData, str("not supported: ", warnings.all().front()));
    }
    const std::size_t bytes = grammar.MemorySizeBytes();
    return std::make_shared<const Compiled>(
        Compiled{.impl = std::make_shared<const Compiled::Impl>(
                     Compiled::Impl{.grammar = std::move(grammar),
                                    .ends = ends_,
                                    .vocabulary = vocabulary_->size()}),
                 .bytes = bytes + source.text.size()});
  } catch (const Error& error) {
    throw Error(error.code(), str(name_of(source.kind), ": ", error.text()));
  } catch (const std::exception& error) {
    throw Error(Code::kData, str(name_of(source.kind), ": ", error.what()));
  }
}

}  // namespace penstock::grammar
