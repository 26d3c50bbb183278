#include "pipeline_run/inspect/stage_lines.h"

#include <set>
#include <utility>

#include "pipeline_run/inspect/show.h"
#include "pipeline_run/inspect/stage_json.h"

namespace penstock::run {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson row_json(const Slice& slice, bool has_scores) {
  const Item& item = *slice.sequence->item;
  OrderedJson out{{"id", item.request->id},
                  {"sample", item.index},
                  {"branch", slice.sequence->branch},
                  {"begin", slice.begin},
                  {"count", slice.count}};
  if (has_scores) out.update({{"out", slice.out}, {"outs", slice.outs}});
  return out;
}

class Printed final : public ResultSink {
 public:
  Printed(std::shared_ptr<ResultSink> sink, bool is_json)
      : sink_(std::move(sink)), is_json_(is_json) {}

  void piece(const Request& request, const Value& value, int branch,
             bool is_final) override {
    const auto* made = std::get_if<Tensors>(&value);
    if (made == nullptr) {
      sink_->piece(request, value, branch, is_final);
    } else if (is_json_) {
      json(request, *made, branch, is_final);
    } else {
      sink_->piece(request, text(*made, branch), branch, is_final);
    }
  }
  void part_done(const Request& request, const Report& report) override {
    sink_->part_done(request, report);
  }
  void step_done(const std::string& step) override { sink_->step_done(step); }
  void done(const Request& request, const Report& report) override {
    sink_->done(request, report);
  }

 private:
  void json(const Request& request, const Tensors& made, int branch,
            bool is_final) {
    Tensors others;
    for (const auto& each : made) {
      if (each.first != "tokens") others.push_back(each);
    }
    if (others.empty()) return;
    OrderedJson line;
    line["tensors"].push_back(tensors_json(others));
    sink_->piece(request, penstock::Json{line_of(line)}, branch, is_final);
  }

  std::string text(const Tensors& made, int branch) {
    std::string out;
    if (made.size() > 1 || made[0].first != "tokens") {
      for (const auto& [name, tensor] : made) out += tensor_text(name, tensor);
      return out;
    }
    const auto ids = made[0].second.contiguous();
    for (std::int64_t i = 0; i < ids.numel(); ++i) {
      const bool is_first = begun_.insert(branch).second;
      out += str(is_first ? "" : " ", ids.const_data_ptr<std::int64_t>()[i]);
    }
    return out;
  }

  std::shared_ptr<ResultSink> sink_;
  bool is_json_;
  std::set<int> begun_;  ///< branches
};

}  // namespace

void StepLines::step(const Step& step, const Result& result) {
  const bool has_scores = last_ >= StageKind::kForward;
  OrderedJson line{{"step", steps_++}, {"layout", to_string(step.layout)}};
  for (const Slice& slice : step.slices) {
    line["rows"].push_back(row_json(slice, has_scores));
  }
  line["inputs"] = tensors_json(step.inputs);
  if (has_scores) {
    line["outputs"] = tensors_json(result.out);
    line["outputs"].update(tensors_json(named_scores(result.scores)));
  }
  output_.write(line_of(line) + "\n");
}

void SampleLines::item(const Request& request, const Item& item) {
  output_.write(item_line(request.id, item));
}

std::string item_line(const std::string& id, const Item& item) {
  OrderedJson line{{"id", id}, {"input_ids", item.tokens}};
  for (const auto& [name, tensor] : item.inputs) {
    line["inputs"][name] = shape_text(tensor);
  }
  return line_of(line) + "\n";
}

std::shared_ptr<ResultSink> as_printed(std::shared_ptr<ResultSink> sink,
                                       bool is_json) {
  return std::make_shared<Printed>(std::move(sink), is_json);
}

}  // namespace penstock::run
