// Where a grammar leaves the choice between few texts: the tokens that these
// begin with, cut as the tokenizer cuts them. A mask alone allows every piece
// of them as well, `▁` and `t` beside `▁true`, and a model that does not know
// the grammar often takes one: more steps, and tokens that it never saw so.
#pragma once

#include <memory>

#include "grammar/matcher.h"
#include "penstock/token_set.h"

namespace penstock::grammar {

/// Of `allowed`, which the matcher's next() said, those that a text begins with
/// which may follow; all of them where the texts are many. Each text that the
/// grammar allows stays possible. A text's last token is not cut off before
/// what may join it is known. `before`: the token before, -1 for none: a text
/// that the tokenizer would have joined to it was chosen against, since tokens
/// of BPE are cut so where each two neighbours are (Vieira et al. 2025,
/// Language Models over Canonical Byte-Pair Encodings). The matcher is where it
/// was.
[[nodiscard]] std::shared_ptr<const TokenSet> cut_as_text(
    Matcher& matcher, const Compiled::Impl& compiled,
    const Vocabulary& vocabulary, std::int64_t before,
    std::shared_ptr<const TokenSet> allowed);

}  // namespace penstock::grammar
