// What the fakes do; see Given.
#pragma once

#include "penstock/plugin.h"
#include "penstock/testing/run_stage.h"

namespace penstock::testing {

/// Pushes Given::items, whatever the request.
class FakePreprocess final : public Preprocess {
 public:
  explicit FakePreprocess(const Given& given) : given_(given) {}
  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  const Given& given_;
};

/// Every sequence with all its tokens, in the rectangle of the layout.
class FakeBatch final : public Batch {
 public:
  FakeBatch(const Given& given, Layout layout)
      : given_(given), layout_(layout) {}
  [[nodiscard]] int max_sequences() const override;
  [[nodiscard]] Plan plan(const Offer& offer) override;
  [[nodiscard]] Tensors collate(std::span<const Slice> slices) override;

 private:
  const Given& given_;
  Layout layout_;
};

/// Gives Given::outputs, or the scores of Given::scores. Its slots hold
/// nothing, so that any cut, copy and chunk is right.
class FakeForward final : public Forward {
 public:
  explicit FakeForward(const Given& given) : given_(given) {}
  void open(StageContext& context) override;
  [[nodiscard]] Caps caps() const override;
  [[nodiscard]] Result forward(const Step& step) override;

 private:
  [[nodiscard]] Result named(const Step& step) const;
  [[nodiscard]] Result scored(const Step& step) const;
  [[nodiscard]] std::vector<float> scores_after(const Sequence& sequence,
                                                std::int64_t length) const;
  const Given& given_;
  int slots_ = 0;
};

/// Emits Given::decoded, or takes the best token Given::new_tokens times.
class FakeDecode final : public Decode {
 public:
  FakeDecode(const Given& given, bool has_scores)
      : given_(given), has_scores_(has_scores) {}
  void start(Sequence& sequence) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  [[nodiscard]] bool is_scripted(const Sequence& sequence) const;
  const Given& given_;
  bool has_scores_;
};

/// Emits nothing: what Decode emitted is seen by the observer.
class FakePostprocess final : public Postprocess {
 public:
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;
};

}  // namespace penstock::testing
