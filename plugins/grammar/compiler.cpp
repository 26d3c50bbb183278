#include "grammar/compiler.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "grammar/compiled.h"
#include "grammar/grammar_cost.h"
#include "grammar/log.h"
#include "grammar/regex_check.h"
#include "grammar/schema_grammar.h"
#include "penstock/error.h"

namespace penstock::grammar {
namespace {

/// Stands in no UTF-8 text.
bool is_no_utf8(const std::string& bytes) {
  if (bytes.size() != 1) return false;
  const auto byte = static_cast<unsigned char>(bytes[0]);
  return byte == 0xC0 || byte == 0xC1 || byte >= 0xF5;
}

/// What each token adds to a text; nothing: it is never allowed.
std::vector<std::string> texts_of(const Vocabulary& vocabulary) {
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(vocabulary.size()));
  for (std::int64_t id = 0; id < vocabulary.size(); ++id) {
    std::string text = vocabulary.bytes(id);
    if (is_no_utf8(text)) text.clear();
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

ByteTokens::ByteTokens(const std::vector<std::string>& texts) {
  for (std::size_t id = 0; id < texts.size(); ++id) {
    if (texts[id].size() != 1) continue;
    ids.emplace_back(texts[id][0], static_cast<std::int64_t>(id));
  }
  std::sort(ids.begin(), ids.end());
}

struct Compiler::Impl {
  std::shared_ptr<const ByteTokens> bytes;
  xgrammar::TokenizerInfo tokens;
  // One thread: the callers are several already. What schemas have in common,
  // such as strings of a length, is kept; of other grammars nothing is, since
  // what was warned of must be refused again.
  mutable xgrammar::GrammarCompiler schemas, others;

  Impl(const Vocabulary& vocabulary, const std::vector<int>& ends,
       std::int64_t shared_bytes)
      : Impl(texts_of(vocabulary), ends, shared_bytes) {}
  Impl(const std::vector<std::string>& texts, const std::vector<int>& ends,
       std::int64_t shared_bytes)
      : bytes(std::make_shared<const ByteTokens>(texts)),
        tokens(texts, xgrammar::VocabType::RAW, static_cast<int>(texts.size()),
               ends),
        schemas(tokens, /*max_threads=*/1, shared_bytes > 0, shared_bytes),
        others(tokens, /*max_threads=*/1, /*cache_enabled=*/false) {}

  [[nodiscard]] xgrammar::CompiledGrammar compile(const Source& source) const {
    switch (source.kind) {
      case Kind::kSchema: {
        const auto ebnf = schema_grammar(source.text, source.any_whitespace);
        (void)check_cost(ebnf);
        return schemas.CompileGrammar(ebnf);
      }
      case Kind::kJson:
        return others.CompileJSONSchema(R"({"type": "object"})",
                                        source.any_whitespace, {}, {},
                                        /*strict_mode=*/false);
      case Kind::kRegex:
        (void)check_regex(source.text, "regex");
        return checked(xgrammar::Grammar::FromRegex(source.text));
      case Kind::kLark:
        return checked(xgrammar::Grammar::FromLark(source.text, tokens));
      case Kind::kCalls:
        return others.CompileStructuralTag(source.text);
      case Kind::kGrammar:
        break;
    }
    return checked(xgrammar::Grammar::FromEBNF(source.text));
  }

  [[nodiscard]] xgrammar::CompiledGrammar checked(
      const xgrammar::Grammar& grammar) const {
    (void)check_cost(grammar.ToString());
    return others.CompileGrammar(grammar);
  }
};

Compiler::Compiler(std::shared_ptr<const Vocabulary> vocabulary,
                   const Tokens& ends, std::size_t shared_bytes)
    : vocabulary_(std::move(vocabulary)),
      shared_bytes_(static_cast<std::int64_t>(shared_bytes)) {
  for (const std::int64_t id : ends) {
    if (id < 0 || id >= vocabulary_->size()) continue;
    ends_.push_back(static_cast<int>(id));
  }
}

const Compiler::Impl& Compiler::impl() const {
  std::call_once(is_made_, [this] {
    impl_ = std::make_unique<const Impl>(*vocabulary_, ends_, shared_bytes_);
  });
  return *impl_;
}

Compiler::~Compiler() = default;

std::shared_ptr<const Compiled> Compiler::compile(const Source& source) const {
  check_size(source);
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
                                    .bytes = impl().bytes,
                                    .ends = ends_,
                                    .vocabulary = vocabulary_->size()}),
                 .bytes = bytes + source.text.size()});
  } catch (const Error& error) {
    const std::string place = str(name_of(source.kind), ": ");
    if (error.text().starts_with(place)) throw;
    throw Error(error.code(), place + error.text());
  } catch (const std::exception& error) {
    throw Error(Code::kData, str(name_of(source.kind), ": ", error.what()));
  }
}

}  // namespace penstock::grammar
