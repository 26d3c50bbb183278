// gemma.detokenize: token ids to text, streamed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gemma/tokenizer.h"
#include "lib/tools/call_syntax.h"
#include "penstock/postprocess.h"

namespace penstock::gemma {

/// Input: tokens i64[N]. Output: text, a piece whenever characters are
/// complete and begin no stop string; the piece marked final may be empty. Of
/// log-probabilities: JSON pieces, objects with a list (token_json.h). Of a
/// request with `tools`: the calls as JSON pieces (call_json.h), and the text
/// without them.
class Detokenize final : public Postprocess {
 public:
  struct Params {
    std::vector<std::string> stop = {};
    bool calls_in_parts = false;
  };
  static void declare(Declaration<Detokenize>& d);
  explicit Detokenize(const Params& /*params*/) {}

  void open(StageContext& context) override;
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<const tools::CallSyntax> syntax_;  ///< null: no chats
};

}  // namespace penstock::gemma
