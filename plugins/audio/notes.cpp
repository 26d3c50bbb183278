#include "audio/notes.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <array>
#include <cmath>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "audio/note_events.h"
#include "penstock/drawing.h"
#include "penstock/keys.h"

namespace penstock::audio {
namespace {

using NoteJson = nlohmann::ordered_json;

/// A note as a person reads it.
struct Heard {
  double begin = 0, end = 0;
  std::int64_t pitch = 0;
  double loudness = 0;
};

/// Seconds of a frame: windows are a little shorter than their frames, so each
/// begins earlier than its number says; with the rest that Basic Pitch found
/// by listening.
class FrameClock {
 public:
  FrameClock(const Notes::Params& params, std::int64_t rate)
      : hop_(static_cast<double>(params.hop) / static_cast<double>(rate)),
        frames_(params.window_frames),
        early_(hop_ * (static_cast<double>(params.window_frames) -
                       static_cast<double>(params.window) /
                           static_cast<double>(params.hop)) +
               kFound) {}

  [[nodiscard]] double seconds(std::int64_t frame) const {
    return static_cast<double>(frame) * hop_ -
           early_ * static_cast<double>(frame / frames_);
  }

 private:
  static constexpr double kFound = 0.0018;
  double hop_;
  std::int64_t frames_;
  double early_;
};

std::string decimal(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

/// 0.250 - 0.744  A4  0.62
std::string line_of(const Heard& note) {
  return decimal(note.begin, 3) + " - " + decimal(note.end, 3) + "  " +
         pitch_name(note.pitch) + "  " + decimal(note.loudness, 2);
}

/// Time to the right, pitches upwards.
std::string piano_roll(const std::vector<Heard>& notes, double total) {
  constexpr double kLeft = 40, kTop = 10, kWidth = 1000, kKey = 6;
  std::int64_t low = 127;
  std::int64_t high = 0;
  for (const Heard& note : notes) {
    low = std::min(low, note.pitch);
    high = std::max(high, note.pitch);
  }
  const double height =
      kKey * static_cast<double>(std::max<std::int64_t>(1, high - low + 1));
  Svg svg(kWidth + 2 * kLeft, kTop + height + 40);
  const double scale = kWidth / std::max(total, 1e-3);
  for (const Heard& note : notes) {
    const double y = kTop + kKey * static_cast<double>(high - note.pitch);
    svg.rect(kLeft + note.begin * scale, y, (note.end - note.begin) * scale,
             kKey - 1, "#4472a8");
    if (note.pitch % 12 == 0) svg.text(4, y, kKey + 2, pitch_name(note.pitch));
  }
  svg.seconds(kLeft, kTop + height, kWidth, total);
  return std::move(svg).take();
}

class NotesWriter final : public Writer {
 public:
  NotesWriter(const Request& request, Notes::Params params)
      : request_(request), params_(std::move(params)) {}

  bool write(const Decoded& decoded, OutputSink& /*out*/) override {
    frames_.push_back(get(decoded.tensors, "notes"));
    onsets_.push_back(get(decoded.tensors, "onsets"));
    const Item& item = *decoded.item;
    rate_ = get(item.notes, kSampleRate);
    seconds_ = get(item.notes, kAudioSeconds);
    const double* begin = find(item.notes, kAudioBegin);
    begin_ = begin == nullptr ? 0 : *begin;
    return true;
  }

  void end(OutputSink& out) override {
    const std::vector<Heard> notes = heard();
    NoteJson list = NoteJson::array();
    std::string text;
    for (const Heard& note : notes) {
      list.push_back({{"begin", rounded(note.begin)},
                      {"end", rounded(note.end)},
                      {"pitch", note.pitch},
                      {"name", pitch_name(note.pitch)},
                      {"loudness", rounded(note.loudness)}});
      text += (text.empty() ? "" : "\n") + line_of(note);
    }
    out.emit(Json{NoteJson{{"notes", std::move(list)}}.dump()}, 0, false);
    if (!params_.render.empty()) {
      write_drawing(drawing_path(params_.render, request_.id, ".svg"),
                    piano_roll(notes, begin_ + seconds_));
    }
    out.emit(text.empty() ? "no notes" : text, 0, /*is_final=*/true);
  }

 private:
  static double rounded(double value) { return std::round(value * 1e4) / 1e4; }

  /// Whole frames of the sound alone: what follows it in the last window is
  /// silence that we made.
  [[nodiscard]] std::int64_t frames_of_sound() const {
    const auto per_second = static_cast<double>(rate_ / params_.hop);
    return static_cast<std::int64_t>(
        std::floor(std::round(seconds_ * static_cast<double>(rate_)) *
                   (per_second / static_cast<double>(rate_))));
  }

  [[nodiscard]] std::vector<Heard> heard() {
    std::vector<Heard> out;
    if (frames_.empty()) return out;
    at::Tensor frames = at::cat(frames_);
    at::Tensor onsets = at::cat(onsets_);
    const std::int64_t count = std::min(frames_of_sound(), frames.size(0));
    frames = frames.narrow(0, 0, count);
    onsets = onsets.narrow(0, 0, count);
    const double frame_ms =
        1e3 * static_cast<double>(params_.hop) / static_cast<double>(rate_);
    const NoteRules rules{
        .onset_threshold = params_.onset_threshold,
        .frame_threshold = params_.frame_threshold,
        .min_frames = std::llround(params_.min_note_ms / frame_ms),
        .faint = params_.faint};
    const FrameClock clock(params_, rate_);
    for (const NoteEvent& note : note_events(frames, onsets, rules)) {
      out.push_back({.begin = begin_ + clock.seconds(note.begin),
                     .end = begin_ + clock.seconds(note.end),
                     .pitch = params_.lowest + note.key,
                     .loudness = note.loudness});
    }
    return out;
  }

  const Request& request_;
  Notes::Params params_;
  std::vector<at::Tensor> frames_, onsets_;
  std::int64_t rate_ = 0;
  double seconds_ = 0, begin_ = 0;
};

void declare_frames(Declaration<Notes>& d) {
  using P = Notes::Params;
  d.param("lowest", &P::lowest, "pitch of the first column, as MIDI counts")
      .range(0, 127);
  d.param("hop", &P::hop, "samples from one frame to the next")
      .range(1, 1 << 20);
  d.param("window", &P::window, "samples of a window of the model")
      .range(1, 1 << 26);
  d.param("window_frames", &P::window_frames, "frames of it").range(1, 1 << 20);
}

}  // namespace

std::string pitch_name(std::int64_t pitch) {
  static constexpr std::array kNames = {"C",  "C#", "D",  "D#", "E",  "F",
                                        "F#", "G",  "G#", "A",  "A#", "B"};
  return kNames.at(static_cast<std::size_t>(pitch % 12)) +
         std::to_string(pitch / 12 - 1);
}

void Notes::declare(Declaration<Notes>& d) {
  d.doc("The notes of music, of the pitches that a model hears in its frames")
      .input("notes: f32[N,P]")
      .input("onsets: f32[N,P]")
      .needs(kSampleRate)
      .needs(kAudioSeconds)
      .uses(kAudioBegin)
      .light();
  d.param("onset_threshold", &Params::onset_threshold,
          "from which on a note begins")
      .range(0, 1)
      .per_request();
  d.param("frame_threshold", &Params::frame_threshold,
          "from which on a note sounds")
      .range(0, 1)
      .per_request();
  d.param("min_note_ms", &Params::min_note_ms,
          "milliseconds of the shortest note")
      .range(0, 60'000)
      .per_request();
  d.param("faint", &Params::faint, "also notes of which no beginning was heard")
      .per_request();
  declare_frames(d);
  d.param("render", &Params::render,
          "folder for drawings of the notes; empty: none")
      .draws();
}

void Notes::open(StageContext& /*context*/) {
  if (!params_.render.empty()) make_drawing_folder(params_.render);
}

std::unique_ptr<Writer> Notes::begin(const Request& request) const {
  return std::make_unique<NotesWriter>(request, params<Params>(*this, request));
}

}  // namespace penstock::audio
