#include "whisper/decode.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "whisper/arrays.h"
#include "whisper/silence.h"
#include "whisper/transcript.h"

namespace penstock::whisper {
namespace {

constexpr double kStep = 0.02;  ///< seconds between two times
/// Beyond it, what was said is too uncertain to build on.
constexpr double kUncertain = 0.5;

std::int64_t size(const Tokens& tokens) {
  return static_cast<std::int64_t>(tokens.size());
}

}  // namespace

/// Where an item is: the window, and what was said in it.
struct Window final : DecodeState {
  Tokens prompt;            ///< of this window
  Tokens said;              ///< the end token too
  std::int64_t seek = 0;    ///< frames of 10 ms
  std::int64_t total = 0;   ///< frames of the sound
  std::int64_t offset = 0;  ///< of it in a longer one, in 20 ms
  int attempt = 0;
  double log_probability = 0;  ///< of what was said, in sum
  double no_speech = 0;
  double ratio = 0;  ///< of compression
  Tokens previous;   ///< text of the windows before
  /// Where a gate found speech; nothing: no gate looked.
  std::optional<std::vector<Speech>> speech;

  /// Goes on to where there is speech.
  void skip(std::int64_t window_frames) {
    if (speech) seek = skip_silence(*speech, seek, window_frames, total);
  }

  [[nodiscard]] double average() const {
    return log_probability /
           static_cast<double>(std::max<std::size_t>(1, said.size()));
  }
  void forget() {
    said.clear();
    log_probability = 0;
  }
};

namespace {

Window& window_of(const Sequence& sequence) {
  // start() has put it there.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-static-cast-downcast)
  return static_cast<Window&>(*sequence.item->state);
}

at::Tensor seek_input(const Window& window) {
  return at::tensor({window.seek}, at::kLong);
}

double temperature_of(const WhisperDecode::Params& how, int attempt) {
  return how.temperature + how.temperature_step * attempt;
}

Want every_score(std::int64_t from) {
  Want want;
  want.from = from;
  want.full = true;
  return want;
}

/// Scores from the start token on: they tell whether anybody speaks.
Want first_want(const Tokens& prompt, std::int64_t start) {
  const auto found = std::find(prompt.begin(), prompt.end(), start);
  return every_score(found - prompt.begin());
}

}  // namespace

// lint: long, a table of params
void WhisperDecode::declare(Declaration<WhisperDecode>& d) {
  d.doc("Whisper's text, window by window, by the rules of its reference")
      .input("scores: f32[R,V]")
      .output("tokens: i64[N]")
      .next_input("seek: i64[1]")
      .uses(kAudioBegin, kAudioSeconds, kSampleRate, kSpeech)
      .needs(kVocabSize, kContextLength, kWindowFrames)
      .makes(kAverageLogProbability, kNoSpeech, kCompressionRatio, kTemperature,
             kSeek)
      .light();
  d.param("temperature", &Params::temperature,
          "sampling temperature of the first attempt; 0: always take the best "
          "token")
      .range(0, 10)
      .per_request();
  d.param("temperature_step", &Params::temperature_step,
          "added to the temperature for each further attempt, up to 1; 0: one "
          "attempt")
      .range(0, 1)
      .per_request();
  d.param("max_compression_ratio", &Params::max_compression_ratio,
          "a text that zlib compresses more than this repeats itself and is "
          "decoded again")
      .range(0, 1000)
      .per_request();
  d.param("min_log_probability", &Params::min_log_probability,
          "a text whose mean log-probability is lower is decoded again")
      .range(-1000, 0)
      .per_request();
  d.param("no_speech", &Params::no_speech,
          "a window is silent when its no-speech probability is higher than "
          "this and its text is unlikely")
      .range(0, 1)
      .per_request();
  d.param("max_tokens", &Params::max_tokens, "most tokens of one window")
      .range(1, 448)
      .per_request();
  d.param("max_first_time", &Params::max_first_time,
          "latest time in seconds at which a window's text may begin")
      .range(0, 30)
      .per_request();
  d.param("condition_on_previous", &Params::condition_on_previous,
          "put the previous window's text into the prompt of the next")
      .per_request();
  d.param("seed", &Params::seed,
          "seed of the random numbers of attempts above temperature 0")
      .range(0, 9e15)
      .per_request();
}

void WhisperDecode::open(StageContext& context) {
  words_ = context.share<Vocabulary>(
      [&] { return std::make_shared<Vocabulary>(folder_of(context.model)); });
  window_frames_ = get(context.facts, kWindowFrames);
  context_ = get(context.facts, kContextLength);
  const std::int64_t vocab = get(context.facts, kVocabSize);
  if (vocab <= words_->first_time) {
    throw Error(Code::kData, str("the model has ", vocab,
                                 " tokens, its tokenizer more: "
                                 "they do not belong together"));
  }
}

const WhisperDecode::Params& WhisperDecode::params_for(
    const Sequence& sequence) const {
  return params<Params>(*this, *sequence.item->request);
}

void WhisperDecode::start(Sequence& sequence) {
  auto window = std::make_unique<Window>();
  window->prompt = sequence.tokens;
  const Notes& notes = sequence.item->notes;
  window->offset = std::llround(get_or(notes, kAudioBegin, 0) / kStep);
  window->total = get(sequence.item->inputs, "features").size(1);
  if (const double* seconds = find(notes, kAudioSeconds)) {
    const double frames = *seconds * 100;
    window->total = std::clamp<std::int64_t>(static_cast<std::int64_t>(frames),
                                             1, window->total);
  }
  window->speech = speech_of(notes);
  window->skip(window_frames_);
  if (window->seek >= window->total) window->seek = 0;  // some was found
  sequence.inputs = {{"seek", seek_input(*window)}};
  sequence.want = first_want(sequence.tokens, words_->start);
  sequence.item->state = std::move(window);
}

bool WhisperDecode::append_token(const Sequence& sequence, Window& window,
                                 const at::Tensor& scores, Next& next) const {
  const Params& how = params_for(sequence);
  auto* first = scores.mutable_data_ptr<float>();
  const std::span<float> row_scores(first,
                                    static_cast<std::size_t>(scores.numel()));
  const bool has_times = window.prompt.back() != words_->no_timestamps;
  if (has_times) {
    apply_time_rules(row_scores, *words_, window.said,
                     std::llround(how.max_first_time / kStep));
  } else {
    // Nothing after the text tokens but the end.
    std::fill(row_scores.begin() + words_->first_time, row_scores.end(),
              -std::numeric_limits<float>::infinity());
  }
  suppress(row_scores, *words_, window.said);
  const double temperature = temperature_of(how, window.attempt);
  std::int64_t token = 0;
  if (temperature == 0) {
    token = std::max_element(row_scores.begin(), row_scores.end()) -
            row_scores.begin();
  } else {
    token =
        sample(row_scores, temperature, static_cast<std::uint64_t>(how.seed),
               static_cast<std::uint64_t>(window.seek * 4096 +
                                          std::int64_t{window.attempt} * 512 +
                                          size(window.said)));
  }
  window.log_probability += row_scores[static_cast<std::size_t>(token)] -
                            at::logsumexp(scores, 0).item<double>();
  window.said.push_back(token);
  next.tokens = {token};
  return token == words_->end || size(window.said) >= how.max_tokens ||
         sequence.length() + 1 >= context_;
}

bool WhisperDecode::must_retry(const Sequence& sequence, Window& window) const {
  const Params& how = params_for(sequence);
  window.ratio = compression_ratio(text_of(*words_, window.said));
  const double next = temperature_of(how, window.attempt + 1);
  if (how.temperature_step <= 0 || next > 1 + 1e-9) return false;
  const bool is_unlikely = window.average() < how.min_log_probability;
  if (is_unlikely && window.no_speech > how.no_speech) return false;
  return is_unlikely || window.ratio > how.max_compression_ratio;
}

Tokens WhisperDecode::next_prompt(const Sequence& sequence,
                                  const Window& window) const {
  Tokens prompt = sequence.item->tokens;
  if (!params_for(sequence).condition_on_previous || window.previous.empty()) {
    return prompt;
  }
  const auto most = static_cast<std::size_t>(context_ / 2 - 1);
  const auto& all = window.previous;
  Tokens before = {words_->previous};
  before.insert(
      before.end(),
      all.end() - static_cast<std::ptrdiff_t>(std::min(most, all.size())),
      all.end());
  prompt.insert(prompt.begin(), before.begin(), before.end());
  return prompt;
}

void WhisperDecode::finish_window(const Sequence& sequence, Window& window,
                                  Next& next) const {
  const Params& how = params_for(sequence);
  const std::int64_t frames =
      std::min(window_frames_, window.total - window.seek);
  const bool is_silent = window.no_speech > how.no_speech &&
                         window.average() < how.min_log_probability;
  TextTokens said = window.said;
  if (!said.empty() && said.back() == words_->end) {
    said = said.first(said.size() - 1);
  }
  SegmentedWindow heard{.segments = {}, .frames = frames};
  if (!is_silent && !said.empty())
    heard = split_segments(said, *words_, frames);
  // A window whose first time is its last would never end.
  if (heard.frames <= 0) heard.frames = frames;
  const std::int64_t offset = window.offset + window.seek / 2;
  std::vector<std::int64_t> table;
  for (const Segment& segment : heard.segments) {
    table.insert(table.end(), {offset + segment.begin, offset + segment.end,
                               segment.first, segment.last});
  }
  next.emit.emplace_back().tokens = window.said;
  next.emit.back().tensors = {
      {"segments", at::tensor(table, at::kLong).view({-1, 4})}};
  Notes& notes = next.emit.back().notes;
  set(notes, kAverageLogProbability, window.average());
  set(notes, kNoSpeech, window.no_speech);
  set(notes, kCompressionRatio, window.ratio);
  set(notes, kTemperature, temperature_of(how, window.attempt));
  set(notes, kSeek, 2 * offset);
  if (temperature_of(how, window.attempt) > kUncertain) {
    window.previous.clear();
  } else {
    window.previous.insert(window.previous.end(), said.begin(), said.end());
  }
  window.seek += heard.frames;
  window.skip(window_frames_);
}

/// The window's text is whole: it is decoded again, or the next window comes,
/// or the sound has ended.
void WhisperDecode::end_text(const Sequence& sequence, Window& window,
                             Next& next) const {
  if (must_retry(sequence, window)) {
    ++window.attempt;
    window.forget();
    next.tokens.clear();
    next.keep = size(window.prompt);
    next.want = first_want(window.prompt, words_->start);
    return;
  }
  finish_window(sequence, window, next);
  if (window.seek >= window.total) {
    next.finish = Finish::kStop;
    return;
  }
  window.attempt = 0;
  window.forget();
  window.prompt = next_prompt(sequence, window);
  next.keep = 0;
  next.reset = true;
  next.tokens = window.prompt;
  next.want = first_want(window.prompt, words_->start);
  next.inputs = {{"seek", seek_input(window)}};
}

void WhisperDecode::decode(const Step& step, const Result& picked,
                           std::vector<Next>& out) {
  // A sequence at a time, as its scores lie in the cache.
  const SerialOps serial;
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    if (slice.outs == 0) continue;
    const Sequence& sequence = *slice.sequence;
    Window& window = window_of(sequence);
    Next next;
    next.slice = i;
    if (window.said.empty() && slice.outs >= 1) {
      const auto first = picked.scores.full[slice.out];
      window.no_speech =
          at::softmax(first, 0)[words_->no_speech].item<double>();
    }
    next.want = every_score(kLast);
    const auto last = picked.scores.full[slice.out + slice.outs - 1].clone();
    if (append_token(sequence, window, last, next)) {
      end_text(sequence, window, next);
    }
    out.push_back(std::move(next));
  }
}

}  // namespace penstock::whisper
