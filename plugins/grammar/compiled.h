// What compiler.h hides; for this folder's sources.
#pragma once

#include <xgrammar/xgrammar.h>

#include <vector>

#include "grammar/compiler.h"

namespace penstock::grammar {

struct Compiled::Impl {
  xgrammar::CompiledGrammar grammar;
  std::vector<int> ends;
  std::int64_t vocabulary = 0;
};

}  // namespace penstock::grammar
