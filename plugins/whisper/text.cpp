#include "whisper/text.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "penstock/drawing.h"
#include "penstock/keys.h"
#include "penstock/text.h"
#include "whisper/arrays.h"
#include "whisper/rules.h"
#include "whisper/spectrogram.h"
#include "whisper/transcript.h"

namespace penstock::whisper {
namespace {

/// The time as 00:01:02,345, with `mark` before the milliseconds.
std::string clock(std::int64_t milliseconds, char mark) {
  std::array<char, 48> text{};
  (void)std::snprintf(text.data(), text.size(), "%02ld:%02ld:%02ld%c%03ld",
                      static_cast<long>(milliseconds / 3'600'000),
                      static_cast<long>(milliseconds / 60'000 % 60),
                      static_cast<long>(milliseconds / 1000 % 60), mark,
                      static_cast<long>(milliseconds % 1000));
  return text.data();
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos
             ? ""
             : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

class TextWriter final : public Writer {
 public:
  TextWriter(const Text::Params& how, std::shared_ptr<const Vocabulary> words,
             std::string folder, std::string id)
      : format_(how.format),
        has_details_(how.details),
        words_(std::move(words)),
        folder_(std::move(folder)),
        id_(std::move(id)) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    std::string piece;
    const std::size_t before = json_.size();
    if (const auto* table = find(decoded.tensors, "segments")) {
      for (std::int64_t i = 0; i < table->size(0); ++i) {
        piece += segment(decoded, (*table)[i]);
      }
    }
    if (!piece.empty()) out.emit(piece, 0, /*is_final=*/false);
    if (json_.size() > before) tell_times(before, out);
    if (!folder_.empty() && decoded.finish != Finish::kNo) {
      draw(decoded.item->inputs);
    }
    return true;
  }
  /// Ends the output here, as a sound may have several items, or none.
  void end(OutputSink& out) override {
    if (!folder_.empty()) {
      write_drawing(drawing_path(folder_, id_, ".srt"), srt_);
    }
    out.emit(ending(), 0, /*is_final=*/true);
  }

 private:
  /// Draws a picture of each item: the whole sound, or a part that
  /// a gate lets through.
  void draw(const Tensors& inputs) {
    const at::Tensor* features = find(inputs, "features");
    if (features == nullptr) return;
    const at::Tensor* mask = find(inputs, "mask");
    const std::int64_t frames =
        mask == nullptr ? features->size(1) : mask->sum().item<std::int64_t>();
    const std::string number = ++pictures_ == 1 ? "" : str("-", pictures_);
    write_drawing(drawing_path(folder_, id_, number + ".png"),
                  draw_spectrogram(*features, frames));
  }

  std::string segment(const Decoded& decoded, const at::Tensor& row) {
    const auto* at = row.const_data_ptr<std::int64_t>();
    const TextTokens said =
        TextTokens(decoded.tokens)
            .subspan(static_cast<std::size_t>(at[2]),
                     static_cast<std::size_t>(at[3] - at[2]));
    const std::string text = replace_invalid_utf8(text_of(*words_, said));
    const std::int64_t begin = at[0] * 20;
    const std::int64_t end = at[1] * 20;
    if (trimmed(text).empty()) return "";
    ++count_;
    add_json(decoded, begin, end, text);
    if (has_details_) add_details(decoded, said);
    const auto lines = [&](char mark) {
      return (count_ > 1 ? "\n\n" : "") +
             (mark == ',' ? str(count_, "\n") : "") + clock(begin, mark) +
             " --> " + clock(end, mark) + "\n" + trimmed(text);
    };
    if (!folder_.empty()) srt_ += lines(',');
    if (format_ == "srt") return lines(',');
    if (format_ == "vtt") return (count_ == 1 ? "WEBVTT\n\n" : "") + lines('.');
    if (format_ == "json") return "";
    return count_ == 1 ? trimmed(text) : text;
  }

  /// Hands on the segments from `first` on, for whoever prints JSON.
  void tell_times(std::size_t first, OutputSink& out) const {
    nlohmann::ordered_json list(
        json_.begin() + static_cast<std::ptrdiff_t>(first), json_.end());
    out.emit(Json{nlohmann::ordered_json{{"segments", list}}.dump()}, 0,
             /*is_final=*/false);
  }

  void add_json(const Decoded& decoded, std::int64_t begin, std::int64_t end,
                const std::string& text) {
    nlohmann::ordered_json row = {{"begin", static_cast<double>(begin) / 1000},
                                  {"end", static_cast<double>(end) / 1000},
                                  {"text", trimmed(text)}};
    for (const auto& key :
         {kAverageLogProbability, kCompressionRatio, kNoSpeech, kTemperature}) {
      if (const double* value = find(decoded.notes, key)) {
        row[key.name] = *value;
      }
    }
    json_.push_back(row);
    all_ += text;
  }

  void add_details(const Decoded& decoded, TextTokens said) {
    nlohmann::ordered_json& row = json_.back();
    if (const auto* seek = find(decoded.notes, kSeek)) row["seek"] = *seek;
    row["tokens"] = std::vector<std::int64_t>(said.begin(), said.end());
  }

  [[nodiscard]] std::string ending() const {
    if (format_ == "vtt" && count_ == 0) return "WEBVTT\n";
    if (format_ != "json") return "";
    return nlohmann::ordered_json(
               {{"text", trimmed(all_)}, {"segments", json_}})
        .dump();
  }

  std::string format_;
  bool has_details_;
  std::shared_ptr<const Vocabulary> words_;
  std::string folder_, id_;  ///< of drawings; "": none
  std::string srt_;
  int count_ = 0, pictures_ = 0;
  nlohmann::ordered_json json_ = nlohmann::ordered_json::array();
  std::string all_;
};

}  // namespace

void Text::declare(Declaration<Text>& d) {
  d.doc("What was said, as text, subtitles or JSON")
      .input("tokens: i64[N]")
      .uses(kAverageLogProbability, kCompressionRatio, kNoSpeech, kTemperature,
            kSeek)
      .light();
  d.param("format", &Params::format,
          "text, subtitles as srt or vtt, or json with times")
      .choices({"text", "srt", "vtt", "json"})
      .per_request();
  d.param("details", &Params::details,
          "JSON has each segment's tokens too, and where its window begins")
      .per_request();
  d.param("render", &Params::render,
          "folder for subtitles and spectrograms; empty: none")
      .draws();
}

void Text::open(StageContext& context) {
  words_ = context.share<Vocabulary>(
      [&] { return std::make_shared<Vocabulary>(folder_of(context.model)); });
  if (!params_.render.empty()) make_drawing_folder(params_.render);
}

std::unique_ptr<Writer> Text::begin(const Request& request) const {
  return std::make_unique<TextWriter>(params<Params>(*this, request), words_,
                                      params_.render, request.id);
}

}  // namespace penstock::whisper
