// What compiler.h hides; for this folder's sources.
#pragma once

#include <xgrammar/xgrammar.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grammar/compiler.h"

namespace penstock::grammar {

/// The tokens that are one byte, and which: of bytes, in their order.
struct ByteTokens {
  explicit ByteTokens(const std::vector<std::string>& texts);
  std::vector<std::pair<char, std::int64_t>> ids;
};

struct Compiled::Impl {
  xgrammar::CompiledGrammar grammar;
  std::shared_ptr<const ByteTokens> bytes;
  std::vector<int> ends;
  std::int64_t vocabulary = 0;
};

}  // namespace penstock::grammar
