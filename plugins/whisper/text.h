// whisper.text: transcripts as text, subtitles or JSON.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "penstock/postprocess.h"
#include "whisper/vocabulary.h"

namespace penstock::whisper {

/// Input: tokens i64[N] and segments, once a window. Output: pieces of text,
/// and JSON {"segments": [{"begin", "end", "text", ...}]} with seconds. With
/// `details` a segment has its `tokens`, times among them, and as `seek` the
/// begin of its window in frames of 10 ms.
class Text final : public Postprocess {
 public:
  struct Params {
    std::string format = "text";
    bool details = false;
    std::string render = {};
  };
  static void declare(Declaration<Text>& d);
  explicit Text(Params params) : params_(std::move(params)) {}

  void open(StageContext& context) override;
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  Params params_;
  std::shared_ptr<const Vocabulary> words_;
};

}  // namespace penstock::whisper
