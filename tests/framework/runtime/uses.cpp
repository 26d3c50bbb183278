#include "tests/framework/runtime/uses.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <sstream>
#include <utility>

namespace penstock::uses {
namespace {

Tokens numbers(const std::string& text) {
  std::istringstream in(text);
  Tokens tokens;
  for (std::int64_t token = 0; in >> token;) tokens.push_back(token);
  return tokens;
}

class AnyPreprocess final : public Preprocess {
 public:
  AnyPreprocess(Stages& stages, std::size_t place)
      : stages_(stages), place_(place) {}
  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override {
    if (place_ < stages_.preprocess.size()) {
      stages_.preprocess[place_](request, std::move(in), out);
      return;
    }
    in.tokens = numbers(text_input(request));
    out.push(std::move(in));
  }

 private:
  Stages& stages_;
  std::size_t place_;
};

class AnyBatch final : public Batch {
 public:
  explicit AnyBatch(Stages& stages) : stages_(stages) {}
  [[nodiscard]] int max_sequences() const override {
    return stages_.max_sequences;
  }
  void admit(Item& item) override {
    if (stages_.admit) stages_.admit(item);
  }
  [[nodiscard]] Plan plan(const Offer& offer) override {
    Plan plan;
    for (Sequence* sequence : offer.running) add(sequence, plan);
    int free = offer.free_slots;
    for (Sequence* sequence : offer.waiting) {
      if (sequence->item->width > free) break;
      free -= sequence->item->width;
      add(sequence, plan);
    }
    plan.why = plan.slices.empty() ? Closed::kNothing : Closed::kRunning;
    return plan;
  }
  [[nodiscard]] Tensors collate(std::span<const Slice> slices) override {
    if (stages_.collate) return stages_.collate(slices);
    std::int64_t total = 0;
    for (const Slice& slice : slices) total += slice.count;
    auto tokens = at::empty({total}, at::kLong);
    auto* to = tokens.mutable_data_ptr<std::int64_t>();
    for (const Slice& slice : slices) {
      for (std::int64_t i = 0; i < slice.count; ++i) {
        *to++ = slice.sequence->token(slice.begin + i);
      }
    }
    return {{"tokens", tokens}};
  }

 private:
  void add(Sequence* sequence, Plan& plan) const {
    const std::int64_t left = sequence->length() - sequence->cached;
    plan.slices.push_back(
        {.sequence = sequence, .count = std::min(left, stages_.chunk)});
  }
  Stages& stages_;
};

class AnyForward final : public Forward {
 public:
  explicit AnyForward(Stages& stages) : stages_(stages) {}
  [[nodiscard]] Footprint memory(const StageContext& context) const override {
    if (stages_.footprint) return stages_.footprint(context);
    return {.bytes = stages_.memory ? stages_.memory() : 0};
  }
  void open(StageContext& context) override {
    if (stages_.in_forwards_open) stages_.in_forwards_open();
    if (stages_.open_forward) stages_.open_forward(context);
    for (const auto& fact : stages_.facts) context.facts.insert(fact);
  }
  [[nodiscard]] Caps caps() const override {
    if (stages_.in_caps) stages_.in_caps();
    return stages_.caps;
  }
  [[nodiscard]] Result forward(const Step& step) override {
    return stages_.forward(step);
  }

 private:
  Stages& stages_;
};

class AnyDecode final : public Decode {
 public:
  explicit AnyDecode(Stages& stages) : stages_(stages) {}
  void open(StageContext& context) override {
    if (stages_.open_decode) stages_.open_decode(context);
  }
  void start(Sequence& sequence) override {
    if (stages_.start) stages_.start(sequence);
  }
  [[nodiscard]] Result pick(const Step& step, Result result) override {
    return stages_.pick ? stages_.pick(step, std::move(result)) : result;
  }
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override {
    stages_.decode(step, picked, out);
  }

 private:
  Stages& stages_;
};

class AnyPostprocess final : public Postprocess {
 public:
  explicit AnyPostprocess(Stages& stages) : stages_(stages) {}
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& /*request*/) const override {
    return std::make_unique<Any>(stages_);
  }

 private:
  class Any final : public Writer {
   public:
    explicit Any(Stages& stages) : stages_(stages) {}
    bool write(const Decoded& decoded, OutputSink& out) override {
      if (stages_.write) return stages_.write(decoded, out);
      out.emit(fakes::text_of(decoded.tokens), decoded.branch,
               decoded.finish != Finish::kNo);
      return true;
    }
    void end(OutputSink& /*out*/) override {}

   private:
    Stages& stages_;
  };
  Stages& stages_;
};

}  // namespace

PipelineFile file(Stages& stages) {
  // Kept for the process: configs point to their specs.
  static std::mutex mutex;
  static std::deque<StageSpec> specs;
  const std::scoped_lock lock(mutex);
  const auto add = [&](StageKind kind, const std::string& name, auto make) {
    StageSpec& spec = specs.emplace_back();
    spec.kind = kind;
    spec.name = name;
    struct None {};
    spec.params = ParamList<None>().take();
    spec.layouts = {Layout::kPacked};
    spec.notes.makes = stages.notes;
    spec.next_inputs = stages.next_inputs;
    if (kind == StageKind::kForward) {
      spec.facts = stages.forward_facts;
      for (const auto& [key, value] : stages.facts) {
        spec.facts.makes.push_back(
            {key, static_cast<ParamType>(value.index())});
      }
    }
    if (kind == StageKind::kDecode) spec.facts = stages.decode_facts;
    spec.make = [make](const void*) -> std::unique_ptr<Stage> {
      return make();
    };
    StageConfig config;
    config.spec = &spec;
    config.device = "cpu";
    config.params = spec.params.make();
    return config;
  };
  PipelineFile made;
  made.name = "uses";
  const std::size_t count = std::max<std::size_t>(1, stages.preprocess.size());
  for (std::size_t i = 0; i < count; ++i) {
    made.preprocess.push_back(add(
        StageKind::kPreprocess, "any" + std::to_string(i),
        [&stages, i] { return std::make_unique<AnyPreprocess>(stages, i); }));
  }
  made.batch = add(StageKind::kBatch, "any",
                   [&stages] { return std::make_unique<AnyBatch>(stages); });
  made.forward = add(StageKind::kForward, "any", [&stages] {
    return std::make_unique<AnyForward>(stages);
  });
  made.decode = add(StageKind::kDecode, "any",
                    [&stages] { return std::make_unique<AnyDecode>(stages); });
  made.postprocess = add(StageKind::kPostprocess, "any", [&stages] {
    return std::make_unique<AnyPostprocess>(stages);
  });
  return made;
}

at::Tensor scores(
    const Step& step,
    const std::function<float(const Slice&, std::int64_t, std::int64_t)>& of) {
  auto out = at::empty({step.outs(), fakes::kVocab}, at::kFloat);
  auto* to = out.mutable_data_ptr<float>();
  for (const Slice& slice : step.slices) {
    const std::int64_t end = slice.begin + slice.count;
    for (std::int64_t at = end - slice.outs; at < end; ++at) {
      for (std::int64_t v = 0; v < fakes::kVocab; ++v) *to++ = of(slice, at, v);
    }
  }
  return out;
}

Result full_scores(at::Tensor full) {
  Result result;
  result.scores.full = std::move(full);
  return result;
}

Result hidden_states(at::Tensor hidden) {
  Result result;
  result.scores.hidden = std::move(hidden);
  return result;
}

Value value_of(const at::Tensor& tensor) { return Tensors{{"value", tensor}}; }

float number(const Value& value, std::int64_t at) {
  return get(std::get<Tensors>(value), "value").flatten()[at].item<float>();
}

bool emit_tensor(const Decoded& decoded, OutputSink& out) {
  out.emit(value_of(get(decoded.tensors, "value")), decoded.branch, true);
  return true;
}

const std::vector<Value>& values(const Outcome& outcome) {
  return outcome.pieces.at(0);
}

std::vector<std::string> texts(const Outcome& outcome) {
  std::vector<std::string> out;
  for (const auto& [branch, pieces] : outcome.pieces) {
    for (const Value& value : pieces) {
      if (const auto* text = std::get_if<std::string>(&value)) {
        out.push_back(*text);
      }
    }
  }
  return out;
}

std::vector<Outcome> run(Stages& stages,
                         const std::vector<std::string>& requests) {
  Runner runner(file(stages));
  std::vector<std::shared_ptr<Collector>> sinks;
  for (const std::string& text : requests) {
    sinks.push_back(std::make_shared<Collector>());
    runner.submit(fakes::request(text, text), sinks.back());
  }
  std::vector<Outcome> out;
  for (const auto& sink : sinks) out.push_back(sink->wait());
  return out;
}

}  // namespace penstock::uses
