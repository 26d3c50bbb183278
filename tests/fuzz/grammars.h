// What the fuzz targets of grammars share.
#pragma once

#include <string_view>

#include "tests/plugins/grammar/support.h"

namespace penstock::fuzz {

/// Compiles what somebody wrote and walks along some tokens that it allows:
/// there is one until the answer is whole.
inline void compile_and_walk(grammar::Kind kind, std::string_view text) {
  static const grammar::Fixture fixture;
  const auto compiled =
      fixture.compiler.compile({kind, std::string(text), false});
  grammar::Answer answer(compiled, fixture.vocabulary, {});
  (void)fixture.walk(answer, /*seed=*/static_cast<unsigned>(text.size()), 40);
}

}  // namespace penstock::fuzz
