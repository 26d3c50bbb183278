#include "runtime/until.h"

#include <ATen/ops/tensor.h>

#include <utility>

namespace penstock {
namespace {

/// Opened, because what a Batch plans depends on what Forward can, but never
/// run: its slots stay empty.
class IdleForward final : public Forward {
 public:
  explicit IdleForward(std::unique_ptr<Forward> real) : real_(std::move(real)) {
    index = real_->index;
  }
  [[nodiscard]] Footprint memory(const StageContext& context) const override {
    return real_->memory(context);
  }
  void open(StageContext& context) override { real_->open(context); }
  void close() noexcept override { real_->close(); }
  [[nodiscard]] Caps caps() const override { return real_->caps(); }
  [[nodiscard]] Result forward(const Step& /*step*/) override { return {}; }

 private:
  std::unique_ptr<Forward> real_;
};

/// Asks for what the real Decode asks for, and ends each sequence with its
/// prompt.
class EndingDecode final : public Decode {
 public:
  EndingDecode(std::unique_ptr<Decode> real, bool has_scores)
      : real_(std::move(real)), has_scores_(has_scores) {
    index = real_->index;
  }
  [[nodiscard]] Footprint memory(const StageContext& context) const override {
    return real_->memory(context);
  }
  void open(StageContext& context) override { real_->open(context); }
  void close() noexcept override { real_->close(); }
  void start(Sequence& sequence) override {
    real_->start(sequence);
    if (has_scores_) return;
    Want nothing;
    nothing.from = sequence.want.from;
    sequence.want = nothing;
  }
  void decode(const Step& step, const Result& /*picked*/,
              std::vector<Next>& out) override {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      const Slice& slice = step.slices[i];
      if (slice.outs == 0) continue;
      const bool is_whole =
          slice.begin + slice.count >= slice.sequence->length();
      Next& next = out.emplace_back();
      next.slice = i;
      next.finish = is_whole ? Finish::kEnd : Finish::kNo;
    }
  }

 private:
  std::unique_ptr<Decode> real_;
  bool has_scores_;
};

/// Gives what Decode made as it is: Tensors, the ids among them as `tokens`.
class PlainPostprocess final : public Postprocess {
 public:
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& /*request*/) const override {
    return std::make_unique<Plain>();
  }

 private:
  class Plain final : public Writer {
   public:
    bool write(const Decoded& decoded, OutputSink& out) override {
      Tensors made;
      if (!decoded.tokens.empty()) {
        made.emplace_back("tokens", at::tensor(decoded.tokens));
      }
      made.insert(made.end(), decoded.tensors.begin(), decoded.tensors.end());
      if (!made.empty()) {
        out.emit(std::move(made), decoded.branch,
                 decoded.finish != Finish::kNo);
      }
      return true;
    }
    void end(OutputSink& /*out*/) override {}
  };
};

}  // namespace

void end_after(StageKind last, Stages& stages) {
  stages.boundary.ends_after(last);
  if (last == StageKind::kPostprocess) return;
  if (last == StageKind::kPreprocess) {
    throw Error(Code::kUsage,
                "a pipeline runs until batch or later; for what preprocess "
                "makes, use PreprocessOnly");
  }
  auto plain = std::make_unique<PlainPostprocess>();
  plain->index = stages.postprocess->index;
  stages.postprocess = std::move(plain);
  if (last == StageKind::kDecode) return;
  const bool is_run = last == StageKind::kForward;
  stages.decode =
      std::make_unique<EndingDecode>(std::move(stages.decode), is_run);
  if (is_run) return;
  stages.forward = std::make_unique<IdleForward>(std::move(stages.forward));
}

}  // namespace penstock
