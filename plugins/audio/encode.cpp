#include "audio/encode.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "audio/sound_of.h"
#include "audio/sound_stream.h"
#include "penstock/drawing.h"
#include "penstock/keys.h"

namespace penstock::audio {
namespace {

using SoundJson = nlohmann::ordered_json;

Json json_of(const SoundJson& value) {
  return {value.dump(-1, ' ', false, SoundJson::error_handler_t::replace)};
}

/// Where the bytes of one request go.
class SoundFile {
 public:
  explicit SoundFile(std::filesystem::path path)
      : path_(std::move(path)), out_(path_, std::ios::binary) {
    check();
  }
  void write(const std::string& bytes) {
    out_ << bytes;
    out_.flush();
    check();
  }
  void correct(const std::string& head) {
    if (!head.empty()) out_.seekp(0) << head;
    out_.close();
    check();
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  void check() const {
    if (out_) return;
    throw Error(Code::kRetry, str("cannot write '", path_.string(), "'"));
  }

  std::filesystem::path path_;
  std::ofstream out_;
};

class EncodeWriter final : public Writer {
 public:
  EncodeWriter(const Encode::Params& params, std::string id)
      : params_(params), id_(std::move(id)) {}

  bool write(const Decoded& decoded, OutputSink& out) override;
  void end(OutputSink& out) override;

 private:
  void begin(std::int64_t rate, std::int64_t channels, OutputSink& out);
  void give(const std::string& bytes, OutputSink& out);
  [[nodiscard]] double seconds() const {
    return static_cast<double>(samples_) / static_cast<double>(rate_);
  }

  const Encode::Params& params_;
  std::string id_;
  std::unique_ptr<SoundStream> stream_;
  std::unique_ptr<SoundFile> file_;
  std::int64_t rate_ = 0, channels_ = 0, samples_ = 0;
};

void EncodeWriter::give(const std::string& bytes, OutputSink& out) {
  if (bytes.empty()) return;
  if (file_) return file_->write(bytes);
  Media media;
  media.name = id_ + "." + params_.format;
  media.bytes = std::make_shared<const std::string>(bytes);
  out.emit(media, 0, /*is_final=*/false);
}

void EncodeWriter::begin(std::int64_t rate, std::int64_t channels,
                         OutputSink& out) {
  rate_ = rate;
  channels_ = channels;
  stream_ = sound_stream(params_.format, rate, channels);
  if (!params_.folder.empty()) {
    make_drawing_folder(params_.folder);
    file_ = std::make_unique<SoundFile>(
        drawing_path(params_.folder, id_, "." + params_.format));
  }
  give(stream_->head(), out);
}

bool EncodeWriter::write(const Decoded& decoded, OutputSink& out) {
  const at::Tensor sound = sound_of(decoded, params_.tensor);
  const std::int64_t rate = rate_of(decoded, params_.sample_rate);
  if (!stream_) begin(rate, sound.size(0), out);
  if (rate != rate_ || sound.size(0) != channels_) {
    throw Error(Code::kData,
                str("the sound goes on with ", sound.size(0), " channels at ",
                    rate, " Hz, behind ", channels_, " at ", rate_,
                    "; one stream has the same everywhere"));
  }
  const double begin = seconds();
  samples_ += sound.size(1);
  SoundJson segment = SoundJson::object();
  if (const std::string* text = find(decoded.item->notes, kText)) {
    segment["text"] = *text;
  }
  segment["begin"] = begin;
  segment["end"] = seconds();
  out.emit(json_of({{"segments", SoundJson::array({std::move(segment)})}}), 0,
           /*is_final=*/false);
  give(stream_->add(sound), out);
  return true;
}

void EncodeWriter::end(OutputSink& out) {
  if (!stream_) return;
  give(stream_->end(), out);
  SoundJson made = {{"format", params_.format},
                    {"seconds", seconds()},
                    {"sample_rate", rate_}};
  if (file_) {
    file_->correct(stream_->corrected_head());
    made["file"] = file_->path();
    out.emit(file_->path(), 0, /*is_final=*/false);
  }
  out.emit(json_of(made), 0, /*is_final=*/true);
}

}  // namespace

void Encode::declare(Declaration<Encode>& d) {
  d.doc(
       "The sound of a request as one stream, piece by piece as it is made: to "
       "standard output, or into a file")
      .output("sound: media")
      .uses(kSampleRate, kText)
      .light();
  d.param("tensor", &Params::tensor,
          "its name: of what decode gives, else of what preprocess made");
  d.param("format", &Params::format,
          "wav and raw: 16-bit integers, little endian, louder than full scale "
          "is cut; flac: the same, packed")
      .choices({"wav", "flac", "raw"})
      .per_request();
  d.param("folder", &Params::folder,
          "where a file for each request goes, named after it; made where it "
          "is not there; empty: to whoever asked")
      .draws();
  d.param("sample_rate", &Params::sample_rate,
          "samples a second; 0: as decode or preprocess notes it")
      .range(0, 768000);
}

std::unique_ptr<Writer> Encode::begin(const Request& request) const {
  return std::make_unique<EncodeWriter>(params<Params>(*this, request),
                                        request.id);
}

}  // namespace penstock::audio
