// One HTTP request's answers: its prompts run through a pipeline, each with `n`
// answers, and whoever writes the HTTP answer hears of each as it comes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipeline_serve/api/openai/shown_tokens.h"
#include "pipeline_serve/api/openai/text_model.h"
#include "pipeline_serve/api/openai/tool_shape.h"

namespace penstock::serve {

struct Usage {
  std::int64_t prompt_tokens = 0;
  std::int64_t cached_tokens = 0;  ///< of them, those found computed
  std::int64_t completion_tokens = 0;
};

/// Hears of the answers; one call at a time, none of which may wait. Answers
/// are numbered through: all of the first prompt, then those of the next.
class Listener {
 public:
  virtual ~Listener() = default;
  /// More of an answer; `text` may be empty, `tokens` too.
  virtual void more(std::size_t choice, const std::string& text,
                    const TokenList& tokens) = 0;
  /// A call of a tool, whole, as OpenAI writes them: id, type, function.
  virtual void called(std::size_t /*choice*/, const OutJson& /*call*/) {}
  /// More of the choice's last call, which began without arguments.
  virtual void called_more(std::size_t /*choice*/, const OutJson& /*more*/) {}
  /// The answer is whole: "stop", "length" or "tool_calls".
  virtual void over(std::size_t choice, const std::string& reason) = 0;
  /// All are; the last call.
  virtual void done(const Usage& usage) = 0;
  /// Instead of done(): no answer will be whole.
  virtual void failed(const HttpError& error) = 0;
};

/// The members of the body that a pipeline's complaints are about.
struct Blamed {
  std::string prompt;
  std::string schema = {};  ///< "": no member holds one
  ToolShape tools = ToolShape::kOfChat;
};

/// What is wanted of each prompt.
struct Answers {
  std::size_t n = 1;  ///< to each
  /// The answers to a prompt are equal, so it is asked once.
  bool has_copies = false;
  bool has_answer = true;  ///< else only the prompt is echoed
  bool has_echo = false;   ///< an answer begins with its prompt
  bool has_logprobs = false;
  Blamed blamed = {};
};

struct Generation : Answers {
  std::vector<Request> requests;  ///< one for each prompt
};

/// Admits and submits all of them; answers that were not yet submitted when one
/// fails are not. Throws HttpError where nothing has begun.
void generate(const TextModel& model, Generation generation,
              std::shared_ptr<Listener> listener, const Call& call);

/// How a request ended, where not well, as an HTTP error.
[[nodiscard]] HttpError error_of(const Report& report, const Blamed& blamed,
                                 std::int64_t context_length);

}  // namespace penstock::serve
