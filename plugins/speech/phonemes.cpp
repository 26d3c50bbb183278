#include "speech/phonemes.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <filesystem>

#include "lib/openvino/session.h"
#include "penstock/keys.h"
#include "penstock/pipeline.h"
#include "penstock/text.h"
#include "speech/english/characters.h"
#include "speech/english/voice_files.h"

namespace penstock::speech {
namespace {

using View = std::u32string_view;

Accent accent_named(const std::string& name) {
  return name == "british" ? Accent::kBritish : Accent::kAmerican;
}

void check_text(const std::string& text, std::int64_t most) {
  if (static_cast<std::int64_t>(text.size()) > most) {
    throw Error(Code::kData,
                str("the text has ", text.size(), " bytes; the most is ", most,
                    " (preprocess.max_bytes)"));
  }
  if (const auto at = invalid_utf8(text)) {
    throw Error(Code::kData, str("the text is not UTF-8 at byte ", *at));
  }
}

/// Words that were left out, the first of them named.
class Unread {
 public:
  void add(const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      if (count_++ < 3) names_ += (names_.empty() ? "'" : ", '") + word + "'";
    }
  }
  [[nodiscard]] bool has_any() const { return count_ > 0; }
  [[nodiscard]] std::string text() const {
    return str(count_, count_ == 1 ? " word was" : " words were",
               " left out, of letters that an English voice cannot say: ",
               names_, count_ > 3 ? ", ..." : "");
  }

 private:
  std::int64_t count_ = 0;
  std::string names_;
};

}  // namespace

std::vector<View> pieces_of(View phonemes, std::size_t most) {
  std::vector<View> out;
  while (phonemes.size() > most) {
    const View head = phonemes.substr(0, most + 1);
    std::size_t at = head.rfind(U' ');
    for (std::size_t i = head.size() - 1; i > 0; --i) {
      if (head[i] == U' ' && View(U",;:—").find(head[i - 1]) != View::npos) {
        at = i;
        break;
      }
    }
    const bool has_place = at != View::npos && at > 0;
    out.push_back(phonemes.substr(0, has_place ? at : most));
    phonemes.remove_prefix(has_place ? at + 1 : most);
  }
  if (!phonemes.empty()) out.push_back(phonemes);
  return out;
}

void PhonemesOfText::declare(Declaration<PhonemesOfText>& d) {
  using P = Params;
  d.doc("English text to the ids of its phonemes, an item for each sentence")
      .output("ids: i64[L]")
      .output("speed: f32[]")
      .uses(kText)
      .makes(kText, kPhonemes, kSampleRate);
  d.param("input", &P::input, "name of the request's text");
  d.param("lexicon", &P::lexicon,
          "where lexicon and tables lie: a known model or a folder; empty: "
          "beside the model");
  d.param("accent", &P::accent,
          "whose lexicon; the voice itself has the accent it was trained with")
      .choices({"american", "british"});
  d.param("speed", &P::speed, "1: as the voice was trained; 2: twice as fast")
      .range(0.5, 2)
      .per_request();
  d.param("max_phonemes", &P::max_phonemes,
          "a longer sentence is cut, behind a clause where there is one")
      .range(16, 500);
  d.param("max_bytes", &P::max_bytes,
          "longest text in bytes; a longer one is refused")
      .range(1, 1 << 30);
  d.param("cache", &P::cache,
          "folder where the network for unknown words is kept compiled for the "
          "next start; auto, empty: as openvino.forward");
}

Ports PhonemesOfText::describe(const Params& /*params*/,
                               const std::string& model) {
  const bool is_piper =
      Alphabet::beside(resolve_model(model)).piper() != nullptr;
  using Texts = std::vector<std::string>;
  const Texts ports =
      is_piper
          ? Texts{"input: i64[1,L]", "input_lengths: i64[1]", "scales: f32[3]"}
          : Texts{"ids: i64[L]", "speed: f32[]"};
  Ports out;
  for (const std::string& port : ports) out.outputs.push_back(parse_port(port));
  return out;
}

std::string PhonemesOfText::folder(const std::string& model) const {
  namespace fs = std::filesystem;
  const std::string named =
      params_.lexicon.empty() ? model : resolve_model(params_.lexicon);
  std::error_code error;
  return fs::is_directory(named, error)
             ? named
             : fs::path(named).parent_path().string();
}

Footprint PhonemesOfText::memory(const StageContext& context) const {
  // Measured: what the packed files become as tables, and what OpenVINO takes
  // for the network of unknown words.
  constexpr std::int64_t kTimesFile = 12;
  const std::int64_t files =
      english_bytes(folder(context.model), accent_named(params_.accent));
  return {.bytes = files * kTimesFile, .opening_bytes = files * kTimesFile};
}

void PhonemesOfText::open(StageContext& context) {
  if (context.model.empty()) {
    throw Error(Code::kNotFound,
                "no model is named; write `model:` into the pipeline file or "
                "pass --set model=...");
  }
  alphabet_ = Alphabet::beside(context.model);
  const std::string beside = folder(context.model);
  sentences_ = read_sentences(beside);
  english_.emplace(read_english(beside, accent_named(params_.accent),
                                openvino::cache_named(params_.cache)));
}

Item PhonemesOfText::item_of(const Tokens& ids, double speed) const {
  const auto size = static_cast<std::int64_t>(ids.size());
  const at::Tensor tensor = at::empty({size}, at::kLong);
  std::copy(ids.begin(), ids.end(), tensor.mutable_data_ptr<std::int64_t>());
  Item out;
  const PiperVoice* piper = alphabet_->piper();
  if (piper == nullptr) {
    out.inputs = {{"ids", tensor}, {"speed", at::full({}, speed, at::kFloat)}};
    return out;
  }
  const at::Tensor scales = at::empty({3}, at::kFloat);
  auto* const scale = scales.mutable_data_ptr<float>();
  scale[0] = static_cast<float>(piper->noise);
  scale[1] = static_cast<float>(piper->length / speed);
  scale[2] = static_cast<float>(piper->length_noise);
  out.inputs = {{"input", tensor.unsqueeze(0)},
                {"input_lengths", at::full({1}, size, at::kLong)},
                {"scales", scales}};
  return out;
}

void PhonemesOfText::preprocess(const Request& request, Item in,
                                ItemSink& out) const {
  const auto& chosen = params<Params>(*this, request);
  const std::string text = text_of(request, in, params_.input);
  check_text(text, params_.max_bytes);
  Unread unread;
  bool has_spoken = false;
  sentences_->each(text, [&](const std::u32string& sentence) {
    const Pronounced said = (*english_)(sentence);
    unread.add(said.unread);
    for (const View piece : pieces_of(
             said.phonemes, static_cast<std::size_t>(params_.max_phonemes))) {
      const Tokens ids = alphabet_->ids(piece);
      if (ids.empty()) continue;
      Item item = item_of(ids, chosen.speed);
      item.notes = in.notes;
      if (const PiperVoice* piper = alphabet_->piper()) {
        set(item.notes, kSampleRate, piper->sample_rate);
      }
      set(item.notes, kText, utf8_of(sentence));
      set(item.notes, kPhonemes, utf8_of(piece));
      out.push(std::move(item));
      has_spoken = true;
    }
  });
  if (has_spoken && unread.has_any()) out.warn(unread.text());
  if (has_spoken) return;
  throw Error(Code::kData,
              text.find_first_not_of(" \t\r\n") == text.npos
                  ? std::string("the text is empty: there is nothing to say")
                  : "there is nothing to say in the text: " +
                        (unread.has_any() ? unread.text()
                                          : "it has no words that are spoken"));
}

}  // namespace penstock::speech
