// gemma.tokenize: text to token ids.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gemma/chat_template.h"
#include "gemma/tokenizer.h"
#include "lib/tools/call_syntax.h"
#include "penstock/preprocess.h"

namespace penstock::gemma {

/// Input: text, or the note `text` in its place; or `messages`, a conversation
/// as JSON, with `tools` beside it; or `token_ids` (token_ids.h), to which
/// nothing is added. Output: tokens i64[T]. Notes: `pieces`, NUL
/// between them; `scored_from`: the first token of a continuation; `truncated`:
/// how many tokens were cut, and `truncated_bytes`, how many bytes before them,
/// where the text was longer than any that could fit.
class Tokenize final : public Preprocess {
 public:
  struct Params {
    std::string input = "text";
    std::string continuation = {};
    bool add_bos = true;
    std::string truncate = "none";
    std::int64_t max_tokens = 0;
    bool pieces = false;
    bool chat = false;
    std::string chat_template = "auto";
    std::string system = {};
    bool add_generation_prompt = true;
    std::string tool_calls = "auto";
  };
  static void declare(Declaration<Tokenize>& d);
  explicit Tokenize(Params params) : params_(std::move(params)) {}

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  /// Cuts the text, or the tokens, to what the model takes, or throws where
  /// that was not asked for. Gives how many bytes or tokens went.
  std::int64_t fit_text(std::string& text, const std::string& end) const;
  std::int64_t fit_tokens(Tokens& tokens, const Params& chosen) const;
  [[nodiscard]] bool has_bos(const Params& chosen) const;
  [[nodiscard]] Tokens tokens_of(const Request& request, const Params& chosen,
                                 Item& item) const;
  [[nodiscard]] Tokens of_text(const Request& request, const Params& chosen,
                               Item& item) const;
  void add_continuation(const Request& request, const Params& chosen,
                        Item& item, Tokens& tokens) const;
  [[nodiscard]] Tokens of_chat(const Request& request, const Params& chosen,
                               const Item& item) const;

  Params params_;

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::int64_t context_length_ = 0;  ///< 0: not known
  std::optional<ChatTemplate> template_;
  std::optional<Error> no_template_;  ///< why there is none
  std::shared_ptr<const tools::CallSyntax> syntax_;
};

}  // namespace penstock::gemma
