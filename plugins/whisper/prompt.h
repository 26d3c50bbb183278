// whisper.prompt: what the decoder is told before it listens: language, task,
// with or without times.
#pragma once

#include <string>
#include <utility>

#include "penstock/preprocess.h"

namespace penstock::whisper {

/// Output: tokens i64[T], added to the item that the stages before made.
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
