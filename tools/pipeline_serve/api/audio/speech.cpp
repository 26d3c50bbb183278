// /v1/audio/speech: a text read aloud. The sound goes out as it is made, the
// first sentence while the next is computed; or as events with base64.
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "penstock/value.h"
#include "pipeline_run/input/files.h"
#include "pipeline_serve/api/base64.h"
#include "pipeline_serve/api/openai/body.h"
#include "pipeline_serve/api/openai/generation.h"
#include "pipeline_serve/api/routes.h"
#include "pipeline_serve/api/sse.h"
#include "pipeline_serve/api/uploads/gathered.h"

namespace penstock::serve {
namespace {

const Members kSpeechMembers{
    .own = {"model", "input", "voice", "response_format", "speed",
            "stream_format", "instructions"},
    .options = {}};

/// What a response_format is asked of the pipeline as, and sent as.
struct SoundFormat {
  std::string_view name, ours, type;
};
constexpr std::array kSoundFormats{SoundFormat{"wav", "wav", "audio/wav"},
                                   SoundFormat{"flac", "flac", "audio/flac"},
                                   SoundFormat{"pcm", "raw", "audio/pcm"}};

struct SpokenText {
  Use served;
  Request request = {};
  const SoundFormat* format = nullptr;
  bool has_events = false;
};

/// Whether a text becomes sound in it.
bool speaks(const CompositionFile& file) {
  if (!file.is_one() || !run::media_ports(file).empty()) return false;
  const auto& ports = file.steps[0].file.postprocess.spec->outputs;
  return std::any_of(ports.begin(), ports.end(),
                     [](const Port& port) { return port.dtype == "media"; });
}

Use speaker_of(const Api& api, const Body& body) {
  const std::string name = reading([&] { return body.at("model").text(); });
  Use served = model_named(api.models, name);
  if (speaks(served->file())) return served;
  throw HttpError(
      bad_request(str("the model '", name, "' does not speak"), "model"));
}

const SoundFormat& sound_format_of(const Body& body) {
  // OpenAI's own default is mp3, which nothing here writes.
  const std::string name = body.text("response_format", "wav");
  for (const SoundFormat& format : kSoundFormats) {
    if (format.name == name) return format;
  }
  throw HttpError(
      bad_request("response_format is not one of wav, flac, pcm (16-bit "
                  "integers, little endian)",
                  "response_format"));
}

/// A model is one voice here: clients that must name one say "default".
void check_voice(const Body& body) {
  const std::string voice = body.text("voice", "default");
  if (voice != "default") {
    throw HttpError(
        bad_request("voice: the model is one voice; leave it out, or say "
                    "'default'",
                    "voice"));
  }
  if (body.text("instructions").empty()) return;
  throw HttpError(bad_request(
      "instructions: this server's models take none; leave them out",
      "instructions"));
}

void put(SpokenText& job, const char* ours, Raw value, const char* theirs) {
  const PipelineFile& file = job.served->file().steps[0].file;
  if (stage_of_option(file, ours) == nullptr) {
    throw HttpError(bad_request(str("the model '", job.served->name(),
                                    "' has no '", theirs, "' to choose"),
                                theirs));
  }
  job.request.options[ours] = std::move(value);
}

SpokenText spoken_text_of(const Api& api, const Body& body) {
  check_members(body, kSpeechMembers);
  SpokenText job{.served = speaker_of(api, body)};
  job.format = &sound_format_of(body);
  check_voice(body);
  put(job, "format",
      RawScalar{.text = std::string(job.format->ours), .quoted = true},
      "response_format");
  if (const auto speed = body.find("speed")) {
    const double value = reading([&] { return speed->real(); });
    if (value < 0.25 || value > 4) {
      throw HttpError(bad_request("speed is not in 0.25 to 4", "speed"));
    }
    put(job, "speed", RawScalar{.text = str(value)}, "speed");
  }
  const std::string stream = body.text("stream_format", "audio");
  if (stream != "audio" && stream != "sse") {
    throw HttpError(
        bad_request("stream_format is neither audio nor sse", "stream_format"));
  }
  job.has_events = stream == "sse";
  const JsonView input = body.at("input");
  job.request.inputs["text"] = reading([&] { return input.text(); });
  return job;
}

/// Throws how it ended, where not well.
void check_whole(const Report& report) {
  if (report.ending == Ending::kWhole) return;
  throw HttpError(error_of(report, {.prompt = "input"}, /*context_length=*/0));
}

/// More of the sound; null: the piece is something else.
const std::string* sound_in(const Value& value) {
  const auto* media = std::get_if<Media>(&value);
  return media == nullptr ? nullptr : media->bytes.get();
}

/// The sound as the body of the answer.
class SpokenSound final : public ResultSink {
 public:
  SpokenSound(Call call, const SoundFormat& format)
      : call_(std::move(call)), format_(format) {}

  void piece(const Request& /*request*/, const Value& value, int /*branch*/,
             bool /*is_final*/) override {
    const std::string* sound = sound_in(value);
    if (sound == nullptr) return;
    if (std::exchange(has_begun_, true)) {
      return call_.reply->write(*sound);
    }
    Answer head;
    head.type = format_.type;
    head.body = *sound;
    call_.reply->begin(std::move(head));
  }
  void done(const Request& /*request*/, const Report& report) override {
    // Words among the sound would be noise: what began and failed is cut off,
    // which HTTP tells from what is whole.
    if (has_begun_ && report.ending != Ending::kWhole) return;
    answer_safely(call_, [&] {
      check_whole(report);
      call_.reply->end();
    });
  }

 private:
  Call call_;
  const SoundFormat& format_;
  bool has_begun_ = false;
};

/// The same in events.
class SpokenEvents final : public ResultSink {
 public:
  explicit SpokenEvents(Call call)
      : call_(std::move(call)), events_(call_.reply) {}

  void piece(const Request& /*request*/, const Value& value, int /*branch*/,
             bool /*is_final*/) override {
    const std::string* sound = sound_in(value);
    if (sound == nullptr) return;
    events_.send(
        {{"type", "speech.audio.delta"}, {"audio", to_base64(*sound)}});
  }
  void done(const Request& /*request*/, const Report& report) override {
    answer_safely(call_, [&] {
      check_whole(report);
      events_.send({{"type", "speech.audio.done"},
                    {"usage",
                     {{"input_tokens", report.prompt_tokens},
                      {"output_tokens", 0},
                      {"total_tokens", report.prompt_tokens}}}});
      events_.end();
    });
  }

 private:
  Call call_;
  EventStream events_;
};

void speak(const Api& api, Call call) {
  SpokenText job = spoken_text_of(api, Body(call.request.body));
  try {
    job.served->runner().check(job.request);
  } catch (const Error& error) {  // the format is one that it has
    throw HttpError(bad_request(error.text(), "speed"));
  }
  std::string().swap(call.request.body);
  std::shared_ptr<ResultSink> sink;
  if (job.has_events) {
    sink = std::make_shared<SpokenEvents>(call);
  } else {
    sink = std::make_shared<SpokenSound>(call, *job.format);
  }
  const auto ticket = job.served->admit(call);
  job.served->submit(std::move(job.request), std::move(sink), ticket, call);
}

}  // namespace

void add_speech(const Api& api) {
  api.router.add(
      {.method = "POST",
       .pattern = "/v1/audio/speech",
       .handler = [api](Call call) { speak(api, std::move(call)); }});
}

}  // namespace penstock::serve
