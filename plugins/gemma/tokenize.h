// gemma.tokenize: text to token ids.
#pragma once

#include <memory>

#include "penstock/preprocess.h"
#include "tokenizer.h"

namespace penstock::gemma {

/// Input: text, or a note of that name. Output: tokens i64[T]. Notes: `pieces`,
/// NUL between them; `truncated`: how many tokens were cut.
class Tokenize final : public Preprocess {
 public:
  struct Params {
    std::string input = "text";
    bool add_bos = true;
    std::string truncate = "none";
    std::int64_t max_tokens = 0;
    bool pieces = false;
  };
  static void declare(Declaration<Tokenize>& d);
  explicit Tokenize(const Params& /*params*/) {}

  void open(StageContext& context) override;
  void preprocess(const Request& request, Sample in,
                  SampleSink& out) const override;

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::int64_t context_length_ = 0;  ///< 0: not known
};

}  // namespace penstock::gemma
