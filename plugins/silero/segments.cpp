#include "silero/segments.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <optional>
#include <vector>

#include "penstock/drawing.h"
#include "penstock/media.h"
#include "silero/plot.h"
#include "silero/windows.h"

namespace penstock::silero {
namespace {

using Params = Segments::Params;

SegmentRules rules_of(const Params& p) {
  SegmentRules rules{.threshold = p.threshold,
                     .end_threshold = p.end_threshold,
                     .min_speech_ms = p.min_speech_ms,
                     .min_silence_ms = p.min_silence_ms,
                     .pad_ms = p.pad_ms};
  if (p.end_threshold < 0) {
    rules.end_threshold = end_threshold_for(p.threshold);
  }
  if (p.max_speech_s > 0) rules.max_speech_s = p.max_speech_s;
  return rules;
}

std::string decimal(double seconds) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.3f", seconds);
  return text.data();
}

class SegmentWriter final : public Writer {
 public:
  SegmentWriter(Params params, Request request)
      : params_(std::move(params)), request_(std::move(request)) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    if (!segmenter_) begin(*decoded.item);
    std::vector<Segment> found;
    if (const auto* tensor = find(decoded.tensors, "probabilities")) {
      const auto values = tensor->contiguous();
      const auto* value = values.const_data_ptr<float>();
      for (std::int64_t i = 0; i < values.size(0); ++i) {
        segmenter_->push(value[i], found);
      }
      if (!params_.render.empty()) {
        plot_.probabilities.insert(plot_.probabilities.end(), value,
                                   value + values.size(0));
      }
    }
    const bool is_final = decoded.finish != Finish::kNo;
    if (is_final) segmenter_->finish(length_, found);
    for (const Segment& segment : found) give(segment, out);
    if (!params_.render.empty()) {
      plot_.segments.insert(plot_.segments.end(), found.begin(), found.end());
      if (is_final) draw(*decoded.item);
    }
    if (is_final) finish(out);
    return true;
  }

  /// There may have been no sound, and so no item.
  void end(OutputSink& out) override {
    if (!segmenter_) finish(out);
  }

 private:
  void begin(const Item& item) {
    rate_ = sample_rate(item);
    length_ = get(item.inputs, "waveform").size(0);
    begin_ = audio_begin(item);
    segmenter_.emplace(rules_of(params_), rate_, rate_ == 8000 ? 256 : 512);
  }

  [[nodiscard]] double seconds(std::int64_t samples) const {
    return static_cast<double>(samples) / static_cast<double>(rate_);
  }

  void give(const Segment& segment, OutputSink& out) {
    const double from = begin_ + seconds(segment.begin);
    const double to = begin_ + seconds(segment.end);
    const std::string json =
        str(R"({"begin": )", decimal(from), R"(, "end": )", decimal(to), "}");
    out.emit(Json{R"({"segments": [)" + json + "]}"}, 0, false);
    if (params_.format == "text") {
      out.emit(str(has_line_ ? "\n" : "", decimal(from), " - ", decimal(to)), 0,
               false);
      has_line_ = true;
    } else if (params_.format == "media") {
      Media media = media_input(request_, "audio");
      media.begin = from;
      media.end = to;
      out.emit(media, 0, false);
    } else {
      json_ += (json_.empty() ? "" : ", ") + json;
    }
  }

  void draw(const Item& item) const {
    write_drawing(drawing_path(params_.render, request_.id, ".svg"),
                  plot(get(item.inputs, "waveform"), rate_, plot_));
  }

  void finish(OutputSink& out) {
    std::string text;
    if (params_.format == "json") {
      text = R"({"segments": [)" + json_ + R"(], "seconds": )" +
             decimal(seconds(length_)) + "}";
    }
    out.emit(text, 0, /*is_final=*/true);
  }

  Params params_;
  Request request_;
  std::int64_t rate_ = 16000, length_ = 0;
  double begin_ = 0;  ///< of the item, on the recording's clock
  std::optional<Segmenter> segmenter_;
  bool has_line_ = false;
  Heard plot_;  ///< for draw()
  std::string json_;
};

}  // namespace

void Segments::declare(Declaration<Segments>& d) {
  d.doc("When somebody speaks, by the rules of silero-vad")
      .input("probabilities: f32[N]")
      .input("waveform: f32[T]{mono}")
      .needs(kSampleRate)
      .light();
  d.param("format", &Params::format,
          "text: one line per segment, in seconds; json: one document; media: "
          "the segments as pieces of the file, for another pipeline")
      .choices({"text", "json", "media"})
      .per_request();
  d.param("threshold", &Params::threshold,
          "probability from which a window counts as speech")
      .range(0, 1)
      .per_request();
  d.param("end_threshold", &Params::end_threshold,
          "probability below which speech may have ended; -1: 0.15 less than "
          "threshold")
      .range(-1, 1)
      .per_request();
  d.param("min_speech_ms", &Params::min_speech_ms,
          "shortest speech in milliseconds; shorter is dropped")
      .range(0, 1e7)
      .per_request();
  d.param("min_silence_ms", &Params::min_silence_ms,
          "milliseconds of silence that end a segment")
      .range(0, 1e7)
      .per_request();
  d.param("pad_ms", &Params::pad_ms,
          "milliseconds added before and after speech")
      .range(0, 1e6)
      .per_request();
  d.param("max_speech_s", &Params::max_speech_s,
          "longer speech is split, at a pause where there is one; 0: never")
      .range(0, 1e7)
      .per_request();
  d.param("render", &Params::render,
          "folder for plots of sound, probability and speech; empty: none")
      .draws();
}

void Segments::open(StageContext& /*context*/) {
  if (!params_.render.empty()) make_drawing_folder(params_.render);
}

std::unique_ptr<Writer> Segments::begin(const Request& request) const {
  return std::make_unique<SegmentWriter>(params<Params>(*this, request),
                                         request);
}

}  // namespace penstock::silero
