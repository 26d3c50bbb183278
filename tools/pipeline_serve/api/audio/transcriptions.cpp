// /v1/audio/transcriptions and /v1/audio/translations: what is said in an
// uploaded file, as text, subtitles or JSON with times.
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "penstock/outcome.h"
#include "pipeline_serve/api/audio/speech_model.h"
#include "pipeline_serve/api/audio/transcript.h"
#include "pipeline_serve/api/openai/body.h"
#include "pipeline_serve/api/routes.h"
#include "pipeline_serve/api/uploads/form.h"
#include "pipeline_serve/api/uploads/gathered.h"

namespace penstock::serve {
namespace {

const std::vector<std::string> kOfBoth{"file", "model", "prompt",
                                       "response_format", "temperature"};
const std::vector<std::string> kOfTranscriptions{
    "language", "stream", "timestamp_granularities[]",
    "timestamp_granularities", "chunking_strategy"};

/// What a response_format is asked of the pipeline as, and sent as.
struct Format {
  std::string_view name, ours, type;
};
constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::array kFormats{
    Format{"json", "text", "application/json"},
    Format{"verbose_json", "text", "application/json"},
    Format{"text", "text", kPlain}, Format{"srt", "srt", kPlain},
    Format{"vtt", "vtt", "text/vtt; charset=utf-8"}};

const Format& format_of(const Form& form) {
  const std::string name = form.text("response_format").value_or("json");
  for (const Format& format : kFormats) {
    if (format.name == name) return format;
  }
  throw HttpError(
      bad_request("response_format is not one of json, text, srt, "
                  "verbose_json, vtt",
                  "response_format"));
}

void check_granularities(const Form& form, const Format& format) {
  constexpr const char* kName = "timestamp_granularities";
  const auto all = form.texts(kName);
  for (const std::string& each : all) {
    if (each == "segment") continue;
    throw HttpError(
        bad_request(each == "word" ? str(kName,
                                         ": there are no times of words here; "
                                         "write segment")
                                   : str(kName, " is neither segment nor word"),
                    kName));
  }
  if (all.empty() || format.name == "verbose_json") return;
  throw HttpError(
      bad_request(str(kName, " needs response_format verbose_json"), kName));
}

/// What may be said, but changes nothing.
void check_rest(const Form& form) {
  if (!form.text("prompt").value_or("").empty()) {
    throw HttpError(bad_request(
        "prompt: this server's models take none; leave it out", "prompt"));
  }
  const auto chunking = form.text("chunking_strategy").value_or("auto");
  if (chunking == "auto") return;
  throw HttpError(
      bad_request("chunking_strategy is not auto: the pipeline "
                  "itself finds where somebody speaks",
                  "chunking_strategy"));
}

struct Job {
  SpeechModel model;
  SpeechOptions options = {};
  const Format* format = nullptr;
  bool is_stream = false;
  Media file = {};
};

void read_options(const Form& form, Job& job) {
  job.format = &format_of(form);
  job.options.format = job.format->ours;
  job.options.has_details = job.format->name == "verbose_json";
  if (form.real("temperature", 0, 1)) {
    job.options.temperature = *form.text("temperature");
  }
  check_granularities(form, *job.format);
  check_rest(form);
  job.options.language = form.text("language").value_or("");
  job.is_stream = form.flag("stream");
  const bool is_text = job.format->name == "json" || job.format->name == "text";
  if (job.is_stream && !is_text) {
    throw HttpError(
        bad_request("stream gives text: response_format can only "
                    "be json or text beside it",
                    "stream"));
  }
}

Job job_of(const Api& api, const Form& form, bool is_translation) {
  auto known = kOfBoth;
  if (!is_translation) {
    known.insert(known.end(), kOfTranscriptions.begin(),
                 kOfTranscriptions.end());
  }
  form.check_names(known);
  const auto name = form.text("model");
  if (!name) throw HttpError(bad_request("'model' is missing", "model"));
  Job job{.model = SpeechModel(api.models, *name)};
  job.options.is_translation = is_translation;
  read_options(form, job);
  job.file = form.file("file");
  return job;
}

Answer answer_of_job(const Job& job, const Report& report,
                     const run::Written& written) {
  Answer answer;
  answer.type = job.format->type;
  if (job.format->type != "application/json") {
    answer.body = written.text + "\n";
    return answer;
  }
  const Transcript said =
      transcript_of(written.text, written.json, report.notes);
  OutJson body;
  if (job.format->name == "verbose_json") {
    const std::string language = job.options.is_translation ? "en"
                                 : job.options.language.empty()
                                     ? job.model.language()
                                     : job.options.language;
    body["task"] = job.options.is_translation ? "translate" : "transcribe";
    body["language"] = language;
    body["duration"] = said.seconds;
  }
  body["text"] = said.text;
  if (job.format->name == "verbose_json") body["segments"] = said.segments;
  body["usage"] = duration_usage(said);
  answer.body = json_text(body);
  return answer;
}

/// Sends the text as it comes.
class Streamed final : public ResultSink {
 public:
  Streamed(Call call, Job job)
      : call_(std::move(call)), job_(std::move(job)), events_(call_.reply) {}

  void piece(const Request& /*request*/, const Value& value, int /*branch*/,
             bool /*is_final*/) override {
    add_piece(value, written_);
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || text->empty()) return;
    events_.send({{"type", "transcript.text.delta"}, {"delta", *text}});
  }
  void done(const Request& /*request*/, const Report& report) override {
    answer_safely(call_, [&] {
      if (report.ending != Ending::kWhole) {
        throw HttpError(job_.model.error(report, job_.options));
      }
      const auto said =
          transcript_of(written_.text, written_.json, report.notes);
      events_.send({{"type", "transcript.text.done"},
                    {"text", said.text},
                    {"usage", duration_usage(said)}});
      events_.end();
    });
  }

 private:
  Call call_;
  Job job_;
  EventStream events_;
  run::Written written_;
};

std::shared_ptr<ResultSink> sink_of(const Call& call, Job job) {
  if (job.is_stream) return std::make_shared<Streamed>(call, std::move(job));
  return std::make_shared<Gathered>(
      call, [call, job = std::move(job)](const Request&, const Report& report,
                                         const Gathered::Branches& branches) {
        if (report.ending != Ending::kWhole) {
          throw HttpError(job.model.error(report, job.options));
        }
        const auto found = branches.find(0);
        call.reply->send(answer_of_job(
            job, report,
            found == branches.end() ? run::Written() : found->second));
      });
}

void write_down(const Api& api, Call call, bool is_translation) {
  Request request;
  Job job = [&] {
    const Form form(call.request);
    return job_of(api, form, is_translation);
  }();
  std::string().swap(call.request.body);  // the file was copied
  request.options = job.model.options(job.options);
  request.inputs[job.model.input()] = std::exchange(job.file, {});
  Served& served = job.model.served();
  const auto ticket = served.admit(call);
  served.submit(std::move(request), sink_of(call, std::move(job)), ticket,
                call);
}

}  // namespace

void add_transcriptions(const Api& api) {
  for (const bool is_translation : {false, true}) {
    api.router.add({.method = "POST",
                    .pattern = is_translation ? "/v1/audio/translations"
                                              : "/v1/audio/transcriptions",
                    .handler =
                        [api, is_translation](Call call) {
                          write_down(api, std::move(call), is_translation);
                        },
                    .takes_media = true});
  }
}

}  // namespace penstock::serve
