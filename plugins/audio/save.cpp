#include "audio/save.h"

#include <nlohmann/json.hpp>

#include "audio/sound_of.h"
#include "audio/wav.h"
#include "penstock/drawing.h"
#include "penstock/keys.h"

namespace penstock::audio {
namespace {

using Entry = nlohmann::ordered_json;

class SaveWriter final : public Writer {
 public:
  SaveWriter(const Save::Params& params, std::string id)
      : params_(params), id_(std::move(id)) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    const at::Tensor sound = sound_of(decoded, params_.tensor);
    const std::int64_t rate = rate_of(decoded, params_.sample_rate);
    make_drawing_folder(params_.folder);
    const std::string ending = count_ > 0 ? str(".", count_) : "";
    const auto path = drawing_path(params_.folder, id_, ending + ".wav");
    write_drawing(path, wav_of(sound, rate, params_.format == "float32"));
    const Entry entry = {{"file", path.string()},
                         {"seconds", static_cast<double>(sound.size(1)) /
                                         static_cast<double>(rate)},
                         {"sample_rate", rate}};
    out.emit(Json{Entry{{"sounds", Entry::array({entry})}}.dump(
                 -1, ' ', false, Entry::error_handler_t::replace)},
             decoded.branch, /*is_final=*/false);
    out.emit((count_ > 0 ? "\n" : "") + path.string(), decoded.branch,
             decoded.finish != Finish::kNo);
    ++count_;
    return true;
  }
  void end(OutputSink& /*out*/) override {}

 private:
  const Save::Params& params_;
  std::string id_;
  std::int64_t count_ = 0;
};

}  // namespace

void Save::declare(Declaration<Save>& d) {
  d.doc("Sound that the model made, or heard, as WAV files")
      .uses(kSampleRate)
      .light();
  d.param("tensor", &Params::tensor,
          "its name: of what decode gives, else of what preprocess made");
  d.param("folder", &Params::folder,
          "where files go, named after the request; made where it is not there")
      .draws();
  d.param("format", &Params::format,
          "pcm16: 16-bit integers, louder than full scale is cut; float32: the "
          "numbers as they are")
      .choices({"pcm16", "float32"});
  d.param("sample_rate", &Params::sample_rate,
          "samples a second; 0: as preprocess notes it")
      .range(0, 768000);
}

std::unique_ptr<Writer> Save::begin(const Request& request) const {
  return std::make_unique<SaveWriter>(params_, request.id);
}

}  // namespace penstock::audio
