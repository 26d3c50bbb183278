// whisper.decode: decodes a window token by token, judges it, tries again at a
// higher temperature, and goes on to the next window of the sound.
#pragma once

#include <memory>

#include "penstock/decode.h"
#include "whisper/rules.h"

namespace penstock::whisper {

struct Window;

/// Input: scores f32[R, V]; windows in which the item's note `speech` has
/// none are passed over. Output, once a window: tokens with their times;
/// segments i64[S, 4], each begin and end in 20 ms of the whole sound and
/// first and last place among the tokens; notes `average_log_probability`,
/// `no_speech`, `compression_ratio`, `temperature`, `seek`.
class WhisperDecode final : public Decode {
 public:
  struct Params {
    double temperature = 0;
    double temperature_step = 0.2;
    double max_compression_ratio = 2.4;
    double min_log_probability = -1;
    double no_speech = 0.6;
    std::int64_t max_tokens = 224;
    double max_first_time = 1;
    bool condition_on_previous = false;
    std::int64_t seed = 0;
  };
  static void declare(Declaration<WhisperDecode>& d);
  explicit WhisperDecode(const Params& params) : params_(params) {}

  void open(StageContext& context) override;
  void start(Sequence& sequence) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  [[nodiscard]] const Params& params_for(const Sequence& sequence) const;
  /// Appends the next token; returns whether the window's text has ended.
  [[nodiscard]] bool append_token(const Sequence& sequence, Window& window,
                                  const at::Tensor& scores, Next& next) const;
  [[nodiscard]] bool must_retry(const Sequence& sequence, Window& window) const;
  void end_text(const Sequence& sequence, Window& window, Next& next) const;
  void finish_window(const Sequence& sequence, Window& window,
                     Next& next) const;
  [[nodiscard]] Tokens next_prompt(const Sequence& sequence,
                                   const Window& window) const;

  Params params_;
  std::shared_ptr<const Vocabulary> words_;
  std::int64_t window_frames_ = 0;
  std::int64_t context_ = 0;
};

}  // namespace penstock::whisper
