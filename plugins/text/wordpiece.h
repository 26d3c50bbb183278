// text.wordpiece: a text to the token ids of BERT and its kin.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "penstock/preprocess.h"
#include "text/wordpiece/encoder.h"

namespace penstock::text {

/// Input: the request's text, or the note `text`. Output: tokens, and as
/// tensors input_ids i64[T], attention_mask i64[T] (1: a token, 0: padding) and
/// token_type_ids i64[T] (0). Notes: `truncated`, how many tokens were cut;
/// `pieces`, how each token is spelled.
class WordPiece final : public Preprocess {
 public:
  struct Params {
    std::string vocab;
    std::string input = "text";
    std::string letters = "file";
    std::int64_t max_tokens = 0;
    std::string truncate = "right";
    std::int64_t multiple = 1;
    std::int64_t max_bytes = 1 << 20;
    bool pieces = false;
  };
  static void declare(Declaration<WordPiece>& d);
  explicit WordPiece(Params params) : params_(std::move(params)) {}

  [[nodiscard]] Footprint memory(const StageContext& context) const override;
  void open(StageContext& context) override;
  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  [[nodiscard]] Tokens tokens_of(const std::string& text, const Params& chosen,
                                 Notes& notes) const;
  void cut(Tokens& tokens, const Params& chosen, Notes& notes) const;
  void add_tensors(Item& item) const;

  Params params_;
  std::shared_ptr<const WordPieceEncoder> encoder_;
};

}  // namespace penstock::text
