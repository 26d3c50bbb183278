// Conversations with tools, as a chat template takes them.
#pragma once

#include <string>

#include "gemma/chat_template.h"
#include "gemma/tokenizer.h"
#include "lib/tools/call_syntax.h"
#include "penstock/json.h"

namespace penstock::gemma {

/// For a template that knows tools: arguments of calls are objects, not texts
/// that hold JSON, and answers of tools have the names of their calls. Throws
/// Error(kData), naming the place.
[[nodiscard]] JsonValue messages_with_calls(const JsonValue& messages);

/// For a template that knows none: calls are text of the assistant, answers of
/// tools text of the user, and the tools stand in the system's message, with
/// how to call them. `tools`: null or empty: none. `own_system`: said where no
/// message begins as a system. Throws Error(kData).
[[nodiscard]] JsonValue messages_of_text(const JsonValue& messages,
                                         const JsonValue* tools,
                                         const tools::CallSyntax& syntax,
                                         const std::string& own_system = {});

/// The one of the two that the template asks for; without tools and calls the
/// messages as they are.
[[nodiscard]] JsonValue messages_for(const ChatTemplate& chat_template,
                                     const JsonValue& messages,
                                     const JsonValue* tools,
                                     const tools::CallSyntax& syntax,
                                     const std::string& own_system);

/// The syntax of that name, for "auto" that of a template, and the tokens that
/// end an answer with calls.
[[nodiscard]] tools::CallSyntax call_syntax(const std::string& name,
                                            const std::string& template_source,
                                            const Tokenizer& tokenizer);

}  // namespace penstock::gemma
