// Composition: opens the pipelines of a file with `steps:` and runs requests
// through all of them. A step with an `each` edge gets a request for each
// output of the step above as soon as that is written; the others begin at
// once. Every pipeline batches across the requests of all callers.
//
//   Composition all(load_composition_file(path, plugins, {}, find));
//   all.submit({.id = "a", .inputs = {{"audio", Media{"talk.wav"}}}}, sink);
//   all.drain();
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "penstock/composition_file.h"
#include "penstock/pipeline.h"

namespace penstock {

/// One of the requests that a step got for a request of the composition.
struct StepRequest {
  const StepConfig& step;
  std::int64_t index;  ///< among those of the step, from 0
  const Request& request;
};

/// Receives one request's results, one call at a time, on any thread: steps in
/// the order of the file, their requests in the order they came about.
class PENSTOCK_API StepSink {
 public:
  virtual ~StepSink();
  virtual void piece(const StepRequest& from, const Value& value,
                     int branch) = 0;
  virtual void step_done(const StepRequest& from, const Report& report) = 0;
  /// The last call for this request, always made. The report has the first
  /// error of the steps, in their order, else how the last one ended.
  virtual void done(const Request& request, const Report& report) = 0;
};

class PENSTOCK_API Composition {
 public:
  /// Opens every pipeline. Throws Error with step and stage named.
  explicit Composition(CompositionFile file,
                       const PipelineOptions& options = {});
  /// Cancels what is in flight and waits for it.
  ~Composition();
  Composition(const Composition&) = delete;
  Composition& operator=(const Composition&) = delete;

  /// Throws Error(kData) when submit() would refuse the request's options.
  void check(const Request& request) const;
  /// As Pipeline::submit(). The outputs that become requests are Media and
  /// Tensors one by one; where there are none, the whole text of each branch.
  std::stop_source submit(Request request, std::shared_ptr<StepSink> sink);
  [[nodiscard]] std::shared_ptr<void> more_coming();
  void drain();
  void cancel_all();

  [[nodiscard]] const CompositionFile& file() const;
  /// Where the last step's Forward runs.
  [[nodiscard]] std::string device() const;
  /// By step, in order.
  [[nodiscard]] std::vector<std::pair<std::string, Stats>> stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
