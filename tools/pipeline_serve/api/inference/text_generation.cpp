#include "pipeline_serve/api/inference/text_generation.h"

#include <algorithm>
#include <utility>

#include "pipeline_serve/api/base64.h"
#include "pipeline_serve/api/inference/inference_batch.h"
#include "pipeline_serve/api/inference/tensor_data.h"
#include "pipeline_serve/api/openai/generation.h"
#include "pipeline_serve/api/sse.h"

namespace penstock::serve {
namespace {

struct TextCall {
  InferenceRequest request;
  bool is_stream = false;
};

/// Reads the body of a `generate` or `generate_stream` call.
class GenerateReader {
 public:
  GenerateReader(const Signature& signature, bool is_stream)
      : signature_(signature), out_{.request = {}, .is_stream = is_stream} {
    out_.request.rows.emplace_back();
  }

  TextCall operator()(const JsonView& view) {
    for (const auto& [name, value] : view.members()) {
      if (name == "id") {
        out_.request.id = value.text();
      } else if (name == "parameters") {
        for (const auto& [key, each] : value.members()) option(key, each);
      } else if (const InputTensor* input = input_of(name)) {
        add(*input, value);
      } else {
        option(name, value);
      }
    }
    check_inputs(out_.request.rows.front(), signature_);
    return std::move(out_);
  }

 private:
  [[nodiscard]] const InputTensor* input_of(const std::string& name) const {
    if (name != "text_input") return signature_.input(name);
    for (const InputTensor& each : signature_.inputs) {
      if (each.kind == InputKind::kText) return &each;
    }
    return nullptr;
  }

  void add(const InputTensor& input, const JsonView& value) {
    if (input.kind == InputKind::kTensor) {
      value.fail("is a tensor of numbers, which infer takes");
    }
    std::string bytes = value.text();
    if (input.kind == InputKind::kMedia) {
      auto decoded = from_base64(bytes);
      if (!decoded) value.fail("is no base64");
      bytes = *std::move(decoded);
    }
    Value& to = out_.request.rows.front()[input.name];
    if (to.index() != 0 || !std::get<std::string>(to).empty()) {
      value.fail(str("is '", input.name, "' again"));
    }
    to = value_of(input, std::move(bytes), input.name);
  }

  void option(const std::string& name, const JsonView& value) {
    if (name == "stream") {
      const bool is_wanted = value.boolean();
      if (is_wanted && !out_.is_stream) {
        value.fail("is true: ask generate_stream");
      }
      out_.is_stream = is_wanted;
    } else if (name == "exclude_input_in_output") {
      if (!value.boolean()) value.fail("is false, but only answers are given");
    } else {
      out_.request.options.add(name, value);
    }
  }

  const Signature& signature_;
  TextCall out_;
};

TextCall read_call(const Served& served, Call& call, bool is_stream) {
  const Signature signature = signature_of(served.file());
  const JsonValue json = parse_inference_json(call.request.body);
  auto out =
      GenerateReader(signature, is_stream)(JsonView(json, kInferenceBody));
  out.request.options.check(served.file());
  std::string().swap(call.request.body);
  return out;
}

/// What every answer and event has.
OutJson head_of(const std::string& id, const std::string& model) {
  OutJson out;
  if (!id.empty()) out["id"] = id;
  out["model_name"] = model;
  out["model_version"] = kModelVersion;
  return out;
}

Answer text_answer(OutJson head, const std::string& step,
                   const RowResult& row) {
  if (row.branches() == 1) {
    head["text_output"] = row.text(step, 0);
  } else {
    for (std::size_t i = 0; i < row.branches(); ++i) {
      head["text_output"].push_back(row.text(step, static_cast<int>(i)));
    }
  }
  Answer answer;
  answer.body = json_text(head);
  return answer;
}

/// Sends each piece of the last step's text as it comes.
class TextEvents final : public ResultSink {
 public:
  TextEvents(OutJson head, std::string step, const Call& call)
      : head_(std::move(head)),
        step_(std::move(step)),
        path_(call.request.path),
        reply_(call.reply),
        events_(call.reply) {}

  void piece(const Request& request, const Value& value, int branch,
             bool /*is_final*/) override {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || text->empty() || request.step != step_) return;
    send(*text, branch);
  }
  void done(const Request& /*request*/, const Report& report) override {
    if (report.ending != Ending::kWhole) {
      return send_error(*reply_,
                        error_of(report, {.prompt = "text_input"},
                                 /*context_length=*/0),
                        path_);
    }
    if (!events_.has_begun()) send("", 0);
    events_.end();
  }

 private:
  void send(const std::string& text, int branch) {
    OutJson event = head_;
    if (branch > 0) event["index"] = branch;
    event["text_output"] = text;
    events_.send(event);
  }

  OutJson head_;
  std::string step_, path_;
  std::shared_ptr<Reply> reply_;
  EventStream events_;
};

void answer_whole(Served& served, const TextCall& text, const Call& call,
                  bool is_event) {
  const std::string step = served.file().steps.back().name;
  const auto finish = [head = head_of(text.request.id, served.name()), step,
                       is_event](const std::vector<RowResult>& rows) {
    Answer answer = text_answer(head, step, rows.front());
    if (!is_event) return answer;
    answer.type = "text/event-stream";
    answer.body = "data: " + answer.body + "\n\n";
    answer.fields.add("Cache-Control", "no-cache");
    return answer;
  };
  submit_rows(served, text.request,
              std::make_shared<InferenceBatch>(1, call.reply, call.request.path,
                                               finish),
              call);
}

}  // namespace

void generate_text(Served& served, Call call) {
  const auto text = read_call(served, call, /*is_stream=*/false);
  answer_whole(served, text, call, /*is_event=*/false);
}

void stream_text(Served& served, Call call) {
  const auto text = read_call(served, call, /*is_stream=*/true);
  if (!text.is_stream) {
    return answer_whole(served, text, call, /*is_event=*/true);
  }
  (void)served.submit(
      request_of(text.request, 0, call),
      std::make_shared<TextEvents>(head_of(text.request.id, served.name()),
                                   served.file().steps.back().name, call),
      served.admit(call), call);
}

}  // namespace penstock::serve
