// /v1/pipelines/{name}: any pipeline, with the line that pipeline-run --json
// gives as its answer. With `stream` its parts come as events before it:
//
//   {"type": "text", "branch": 0, "text": "..."}
//   {"type": "json", "branch": 0, "json": {...}}
//   {"type": "part", "finish_reason": "stop"}    one of a step's requests ends
//   {"type": "step_done", "step": "..."}         of a composition
//   {"type": "result", "result": {...}}          the line, and the last event
//
// In a composition `step` and `index` say of which request of which step.
#include <memory>
#include <string_view>
#include <utility>

#include "penstock/keys.h"
#include "pipeline_run/input/files.h"
#include "pipeline_run/output/json_line.h"
#include "pipeline_run/output/step_printer.h"
#include "pipeline_serve/api/openai/body.h"
#include "pipeline_serve/api/openai/generation.h"
#include "pipeline_serve/api/routes.h"
#include "pipeline_serve/api/sse.h"
#include "pipeline_serve/api/uploads/gathered.h"
#include "pipeline_serve/api/uploads/pipeline_request.h"

namespace penstock::serve {
namespace {

/// What may be at fault where an input is: the only one.
std::string only_input(const Request& request) {
  return request.inputs.size() == 1 ? request.inputs.begin()->first : "";
}

/// What is wrong with an option: "option 'seed': ..." names it.
HttpError wrong_option(const Error& error) {
  constexpr std::string_view kBegin = "option '";
  const std::string text = error.text();
  if (!text.starts_with(kBegin)) return bad_request(text, "options");
  const std::string name = text.substr(kBegin.size());
  return bad_request(text, "options." + name.substr(0, name.find('\'')));
}

std::string line_of(const Runner& runner, const Request& request,
                    const Report& report, const Gathered::Branches& branches) {
  if (report.ending != Ending::kWhole) {
    throw HttpError(error_of(report, {.prompt = only_input(request)},
                             /*context_length=*/0));
  }
  const bool is_one = runner.file().is_one();
  return run::json_line(
      request, report, branches,
      {.dtype = is_one ? get_or(runner.facts(), kDtype, "") : "",
       .device = runner.device()},
      /*has_text=*/true);
}

/// Tells of every piece, and hands it on to who makes the line.
class Streamed final : public ResultSink {
 public:
  Streamed(std::shared_ptr<EventStream> events,
           std::shared_ptr<ResultSink> line)
      : events_(std::move(events)), line_(std::move(line)) {}

  void piece(const Request& request, const Value& value, int branch,
             bool is_final) override {
    if (const auto* json = std::get_if<Json>(&value)) {
      OutJson event = begin("json", request);
      event["branch"] = branch;
      event["json"] = OutJson::parse(json->text);
      events_->send(event);
    } else if (const auto* text = std::get_if<std::string>(&value);
               text != nullptr && !text->empty()) {
      OutJson event = begin("text", request);
      event["branch"] = branch;
      event["text"] = *text;
      events_->send(event);
    }
    line_->piece(request, value, branch, is_final);
  }
  void part_done(const Request& request, const Report& report) override {
    OutJson event = begin("part", request);
    event["finish_reason"] = report.finish_reason;
    if (!request.step.empty()) events_->send(event);
    line_->part_done(request, report);
  }
  void step_done(const std::string& step) override {
    if (!step.empty()) {
      events_->send({{"type", "step_done"}, {"step", step}});
    }
    line_->step_done(step);
  }
  void done(const Request& request, const Report& report) override {
    line_->done(request, report);
  }

 private:
  static OutJson begin(const char* type, const Request& request) {
    OutJson event{{"type", type}};
    if (request.step.empty()) return event;
    event["step"] = request.step;
    event["index"] = request.index;
    return event;
  }

  std::shared_ptr<EventStream> events_;
  std::shared_ptr<ResultSink> line_;
};

/// Of a composition, with every step's results in the line.
std::shared_ptr<ResultSink> with_steps(std::shared_ptr<ResultSink> line,
                                       const CompositionFile& file) {
  if (file.is_one()) return line;
  return std::make_shared<run::StepPrinter>(
      std::move(line), file,
      run::StepStyle{.is_json = true, .drawings = {}, .only = {}});
}

std::shared_ptr<ResultSink> sink_of(const Call& call, const Runner& runner,
                                    bool is_stream) {
  const auto events =
      is_stream ? std::make_shared<EventStream>(call.reply) : nullptr;
  auto line = std::make_shared<Gathered>(
      call, [reply = call.reply, &runner, events](
                const Request& request, const Report& report,
                const Gathered::Branches& branches) {
        std::string text = line_of(runner, request, report, branches);
        if (!events) {
          Answer answer;
          answer.body = std::move(text);
          return reply->send(std::move(answer));
        }
        events->send({{"type", "result"}, {"result", OutJson::parse(text)}});
        events->end();
      });
  auto sink = with_steps(std::move(line), runner.file());
  if (!is_stream) return sink;
  return std::make_shared<Streamed>(events, std::move(sink));
}

void run_pipeline(const Api& api, Call call) {
  const Use use = model_named(api.models, call.parts.at("name"));
  Served& served = *use;
  auto asked = read_pipeline_call(call.request, served.file());
  std::string().swap(call.request.body);  // files were copied
  try {
    served.runner().check(asked.request);
  } catch (const Error& error) {
    throw HttpError(wrong_option(error));
  }
  const auto ticket = served.admit(call);
  auto sink = sink_of(call, served.runner(), asked.is_stream);
  served.submit(std::move(asked.request), std::move(sink), ticket, call);
}

}  // namespace

void add_pipelines(const Api& api) {
  api.router.add(
      {.method = "POST",
       .pattern = "/v1/pipelines/{name}",
       .handler = [api](Call call) { run_pipeline(api, std::move(call)); },
       .takes_media = true});
}

}  // namespace penstock::serve
