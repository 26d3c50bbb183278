// Boundary: what one stage hands to the next is held against what it declared
// and against what the step asked for, so that the stage that made a fault is
// the one that is named, and no engine reads memory by a plugin's number.
//
// Each check looks at sizes and names, not at contents: some ten nanoseconds.
// They throw Error without a place: call them where the stage is called.
#pragma once

#include <c10/core/Device.h>

#include <vector>

#include "penstock/batch.h"
#include "penstock/decode.h"
#include "penstock/pipeline_file.h"
#include "runtime/boundary_ports.h"

namespace penstock {

/// The ports and numbers of a pipeline that its stages are held against.
class Boundary {
 public:
  explicit Boundary(const PipelineFile& file);
  /// The stages behind `last` are stand-ins, which promised nothing.
  void ends_after(StageKind last);
  /// What is known once Forward is open. Throws where a fact has another type.
  void opened(const Notes& facts, at::Device device);

  /// What the preprocess stage at `place` of the list pushed; of the last one
  /// also whether Forward gets what it takes.
  void pushed(std::size_t place, const Item& item) const;
  /// A sequence after Decode::start().
  void started(const Sequence& sequence) const;
  /// A slice as planned. `most`: tokens of one sequence in one step.
  static void planned(const Slice& slice, std::int64_t most);
  void collated(const Step& step) const;
  void forwarded(const Step& step, const Result& result) const;
  /// Next::error becomes set where the rest of a Next cannot be followed.
  void decided(std::vector<Next>& nexts) const;

  /// Before the Next is applied to the sequence.
  void grown(const Sequence& sequence, const Next& next) const;

  /// That the best of the scores is among those that were allowed. What is not
  /// on the CPU is passed over, here and in not_finite(): it is looked at when
  /// it has been copied there.
  static void allowed(const Step& step, const Scores& scores);

  /// Slices of which scores are not finite, with what to say.
  struct Bad {
    std::size_t slice;
    Error error;
  };
  [[nodiscard]] static std::vector<Bad> not_finite(const Step& step,
                                                   const Scores& scores);

 private:
  void check_tokens(const Tokens& tokens, Code code) const;
  void check_want(const Want& want) const;
  void check_next(const Next& next) const;
  void check_scores(const Step& step, const Scores& scores) const;

  using Ports = std::vector<boundary::TensorPort>;
  std::vector<Ports> preprocess_;  ///< by stage
  Ports forward_in_, forward_out_, decode_out_;
  Ports collated_;  ///< those of forward_in_ that Batch makes; others it reads
                    ///< from the items, where pushed() has looked at them
  Layout layout_;
  std::string forward_name_;
  bool takes_tokens_ = false;
  std::int64_t vocab_ = kAll;    ///< tokens that there are, where that is known
  std::int64_t context_ = kAll;  ///< tokens that a sequence may have, likewise
  at::Device device_ = at::kCPU;
};

}  // namespace penstock
