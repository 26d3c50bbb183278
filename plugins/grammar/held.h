// What the rules of this plugin have in common: a compiler for the pipeline's
// model, and answers held to what it compiled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "grammar/answer.h"
#include "grammar/compiler.h"
#include "penstock/rule.h"

namespace penstock::grammar {

/// A compiler for answers that end with one of the model's ids (`eos_ids`), or
/// with one of `more`. Rules of a pipeline whose answers end alike get the
/// same: `shared_bytes` is the first one's. Throws Error(kUsage) where no stage
/// shares a vocabulary or nothing ends an answer.
[[nodiscard]] std::shared_ptr<const Compiler> shared_compiler(
    const StageContext& context, const Tokens& more, std::size_t shared_bytes);

/// Bytes that the compiler takes with its first grammar, by the model's files;
/// 0: they do not say.
[[nodiscard]] std::int64_t compiler_bytes(const std::string& model);

/// Holds answers to a grammar.
[[nodiscard]] std::shared_ptr<const PreparedRule> held_to(
    std::shared_ptr<const Compiled> compiled,
    std::shared_ptr<const Vocabulary> vocabulary, ForcedText forced = {});

}  // namespace penstock::grammar
