// Runner: opens the pipelines of a file and runs requests through them. A
// pipeline is a composition of one step, so a file with `steps:` and one
// without are opened, used and summed up alike.
//
//   PluginHost plugins(PluginHost::search_path());
//   Runner runner(load_file("gemma_text.yaml", plugins));
//   Request request{.id = "a", .inputs = {{"text", "Hi"}}};
//   std::cout << runner.run(request).text();
//
// A step with an `each` edge gets a request for each output of the step above
// as soon as that is written; the others begin at once. Every pipeline batches
// across the requests of all callers.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "penstock/composition_file.h"
#include "penstock/outcome.h"
#include "penstock/pipeline.h"

namespace penstock {

class PENSTOCK_API Runner {
 public:
  /// Takes a piece of a result as it comes, on a writer thread.
  using OnPiece = std::function<void(const Value& value, int branch)>;

  /// Opens every pipeline. Throws Error with step and stage named. `options`
  /// are for each pipeline, but `until` for the last step.
  explicit Runner(CompositionFile file, const PipelineOptions& options = {});
  /// Of one pipeline.
  explicit Runner(PipelineFile file, const PipelineOptions& options = {});
  /// Cancels what is in flight and waits for it.
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Throws Error(kData) when submit() would refuse the request's options.
  void check(const Request& request) const;
  /// As Pipeline::submit(). The outputs that become requests are Media and
  /// Tensors one by one; where there are none, the whole text of each branch.
  /// The report of several steps has the first error in their order, else how
  /// the last one ended.
  std::stop_source submit(Request request, std::shared_ptr<ResultSink> sink);
  /// The pieces go to `on_piece`, those of the last step; drain() throws the
  /// first error of such a request.
  std::stop_source submit(Request request, OnPiece on_piece);
  /// Runs one request and waits for it; gives what the last step made. Throws
  /// its error.
  [[nodiscard]] Outcome run(Request request);

  /// While it is held, batches expect more requests: hold it while you submit
  /// several.
  [[nodiscard]] std::shared_ptr<void> more_coming();
  /// Waits until every submitted request is done. Throws what a sink's done()
  /// threw, the first of them.
  void drain();
  /// Cancels every request in flight; any thread.
  void cancel_all();

  [[nodiscard]] const CompositionFile& file() const;
  /// What the last step's model says of itself: context_length, dtype, ...
  [[nodiscard]] const Notes& facts() const;
  /// Where the last step's Forward runs: "cpu", "cuda:0".
  [[nodiscard]] std::string device() const;
  /// By step, in order; the name of an only one is empty.
  [[nodiscard]] std::vector<std::pair<std::string, Stats>> stats() const;
  /// Chrome/Perfetto trace-event JSON of all that ran, with trace = true.
  [[nodiscard]] std::string trace_json() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
