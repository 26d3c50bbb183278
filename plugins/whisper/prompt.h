// whisper.prompt: the tokens that the decoder's text begins with: language,
// task, with or without times.
#pragma once

#include <string>
#include <utility>

#include "penstock/preprocess.h"

namespace penstock::whisper {

/// Output: tokens i64[T], added to the items of earlier stages.
class Prompt final : public Preprocess {
 public:
  struct Params {
    bool timestamps = true;
    std::string language = "en";
    std::string task = "transcribe";
  };
  static void declare(Declaration<Prompt>& d);
  explicit Prompt(Params params) : params_(std::move(params)) {}

  void open(StageContext& context) override;
  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  Params params_;
  std::shared_ptr<const class Vocabulary> vocabulary_;
};

}  // namespace penstock::whisper
