// Token ids of a conversation: control words of the template are control
// tokens, the same words in a message are text.
#pragma once

#include "gemma/jinja/text.h"
#include "gemma/tokenizer.h"

namespace penstock::gemma {

[[nodiscard]] Tokens encode_chat(const Tokenizer& tokenizer,
                                 const jinja::Text& text);

}  // namespace penstock::gemma
