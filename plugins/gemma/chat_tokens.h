// Token ids of a conversation, or of a text to continue: control words of the
// template, or of the text, are control tokens; the same words in a message are
// text.
#pragma once

#include "gemma/jinja/text.h"
#include "gemma/tokenizer.h"

namespace penstock::gemma {

/// Without BOS, unless the template writes it. `is_begin`: false for what goes
/// on from other text.
[[nodiscard]] Tokens encode_chat(const Tokenizer& tokenizer,
                                 const jinja::Text& text, bool is_begin = true);

}  // namespace penstock::gemma
