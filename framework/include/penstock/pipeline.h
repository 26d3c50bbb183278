// Pipeline: opens a checked pipeline file and runs requests through its five
// stages. A Runner (runner.h) is made of them, and what most programs want: it
// takes a file with `steps:` as well.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "penstock/batch.h"
#include "penstock/decode.h"
#include "penstock/pipeline_file.h"
#include "penstock/request.h"
#include "penstock/sequence.h"
#include "penstock/stall.h"
#include "penstock/step.h"

namespace penstock {

/// Milliseconds of one request, from submit() on.
struct Timing {
  double queue_ms = 0;        ///< until its first step began
  double prefill_ms = 0;      ///< from then until its first output
  double decode_ms = 0;       ///< from then until its last
  double first_token_ms = 0;  ///< from submit() until its first output
};

/// How one branch of a request ended: one of `n` answers.
struct Branch {
  /// stop | length; "end" without tokens.
  std::string finish_reason = "end";
  Tokens token_ids;  ///< new ones, with the stop id
};

/// Whether a request came to its own end.
enum class Ending {
  kWhole,
  kCancelled,  ///< somebody asked to stop
  kDeadline,   ///< its deadline passed
  kError,
};

/// How a request ended.
struct Report {
  Ending ending = Ending::kWhole;
  /// stop | length | cancelled | deadline | error; "end" without tokens. Of
  /// branch 0, as token_ids.
  std::string finish_reason;
  std::int64_t prompt_tokens = 0;
  /// Of them, those found computed: by the chat's last turn or, where prefixes
  /// are shared, by another request.
  std::int64_t reused_tokens = 0;
  Tokens token_ids;              ///< new ones, with the stop id
  std::vector<Branch> branches;  ///< every one; at least one
  Notes notes;                   ///< of its items
  /// What a person should know and is no error, a line each.
  std::vector<std::string> warnings;
  Timing timing;
  std::optional<Error> error;
};

/// Receives one request's results, on a writer thread, one call at a time. It
/// may be slow: its own sequences wait, others go on. What it throws ends its
/// request with that error.
///
/// From a Runner the calls come step by step: `request.step` and `.index` say
/// of which. A step's requests come in the order they came about, each whole;
/// several steps come at the same time.
class PENSTOCK_API ResultSink {
 public:
  virtual ~ResultSink();
  virtual void piece(const Request& request, const Value& value, int branch,
                     bool is_final) = 0;
  /// A Runner's: one of a step's requests is over; a pipeline alone has one.
  virtual void part_done(const Request& request, const Report& report);
  /// A Runner's: the step has no more requests.
  virtual void step_done(const std::string& step);
  /// The last call for this request, always made. What it throws is thrown by
  /// drain().
  virtual void done(const Request& request, const Report& report) = 0;
};

/// Looks at what each stage made; for --show and tests. Called on the thread
/// that made it.
class PENSTOCK_API Observer : public Probe {
 public:
  virtual void item(const Request& request, const Item& item);
  virtual void step(const Step& step, const Result& result);
  /// Before Postprocess gets it: its item, branch and finish are set.
  virtual void decoded(const Request& request, const Decoded& decoded);
  void tensor(std::string_view name, const at::Tensor& value) override;
  void count(std::string_view name, std::int64_t value) override;
};

/// Where the time went, in seconds, and what was done. Forward's has the copies
/// to a device of its own and from it, and the wait until that one is done.
struct Stats {
  double preprocess_s = 0, plan_s = 0, collate_s = 0, forward_s = 0,
         decode_s = 0, write_s = 0, open_s = 0, wall_s = 0;
  std::int64_t requests = 0, failed = 0, steps = 0;
  /// Requests for which Preprocess gave no item, so that nothing answered: a
  /// filter's, or those of a stage that forgot to push.
  std::int64_t without_items = 0;
  std::int64_t tokens_in = 0;   ///< tokens that went through Forward
  std::int64_t tokens_out = 0;  ///< tokens that Decode emitted
  std::int64_t truncates = 0, replays = 0, copies = 0;
  std::int64_t reused = 0;  ///< tokens found in the state of another sequence
  int most_sequences = 0;   ///< in one step
  std::array<std::int64_t, 5> closed_for{};  ///< steps by Closed
};

class CallWatcher;

struct PipelineOptions {
  int preprocess_workers = 2;
  int writers = 1;
  int max_in_flight = 64;  ///< submit() waits beyond it
  Observer* observer = nullptr;
  bool trace = false;
  /// The last stage that runs, from kBatch on: what it made is for `observer`,
  /// and after kDecode for the sinks, as Tensors. Until batch or forward,
  /// sequences end with their prompt.
  StageKind until = StageKind::kPostprocess;
  /// In a trace of several pipelines: its number, and a name for it.
  int trace_process = 1;
  std::string trace_name;
  /// Is told of every call into a stage, see stage_call.h; null: nobody.
  CallWatcher* call_watcher = nullptr;
  /// Told, on a thread of its own, of each stage that has not returned for
  /// `stall_s` seconds, and again after two, four, ... times that, and when its
  /// request's deadline passes. 0: of late ones alone. Nothing is ended: a slow
  /// stage is not a wrong one. Other requests go on meanwhile where the stage
  /// is a Preprocess, a rule or a Writer.
  std::function<void(const Stall&)> on_stall;
  double stall_s = 10;
};

class PENSTOCK_API Pipeline {
 public:
  /// Opens every stage (loads weights) and starts its threads. Throws Error
  /// with the stage named.
  explicit Pipeline(PipelineFile file, const PipelineOptions& options = {});
  /// Cancels what is in flight and waits for it.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Throws Error(kData) when submit() would refuse the request's options.
  void check(const Request& request) const;
  /// Checks the request's options and queues it; throws Error(kData) when
  /// they are wrong. Waits while max_in_flight are running. Any thread.
  /// Requesting stop on the returned source cancels the request.
  std::stop_source submit(Request request, std::shared_ptr<ResultSink> sink);
  /// The same; observers and the sink are given this very object.
  std::stop_source submit(const std::shared_ptr<Request>& request,
                          std::shared_ptr<ResultSink> sink);
  /// While it is held, batches expect more requests: they close when they are
  /// full or have waited, not because nobody else is there. Hold it while you
  /// submit several.
  [[nodiscard]] std::shared_ptr<void> more_coming();
  /// Waits until every submitted request is done. Throws what a sink's done()
  /// threw, the first of them.
  void drain();
  /// Cancels every request in flight; any thread.
  void cancel_all();

  [[nodiscard]] const PipelineFile& file() const;
  /// What the model says of itself: context_length, dtype, ...
  [[nodiscard]] const Notes& facts() const;
  /// Where Forward runs: "cpu", "cuda:0".
  [[nodiscard]] std::string device() const;
  [[nodiscard]] Stats stats() const;
  /// Chrome/Perfetto trace-event JSON of all that ran, with trace = true.
  [[nodiscard]] std::string trace_json() const;
  /// The events of it alone, with commas between.
  [[nodiscard]] std::string trace_events() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Runs the preprocess stages alone, on the calling thread: what the model
/// would see. Opens no weights beyond what Preprocess itself needs.
class PENSTOCK_API PreprocessOnly {
 public:
  explicit PreprocessOnly(PipelineFile file);
  ~PreprocessOnly();
  /// `warnings`, where given, get what Report::warnings would have.
  [[nodiscard]] std::vector<Item> run(
      Request request, std::vector<std::string>* warnings = nullptr);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What a pipeline would need, found without loading weights.
struct PipelineCheck {
  std::string device;
  Footprint memory;  ///< of all stages together
};
/// Makes every stage and looks for its model and device; throws Error.
[[nodiscard]] PENSTOCK_API PipelineCheck
check_pipeline(const PipelineFile& file);

/// The device that a text such as "auto", "cpu" or "cuda:1" means here, for a
/// Forward; null: for one that computes in ATen operations. Throws
/// Error(kUnavailable) when it is not there, or the Forward cannot compute on
/// it.
[[nodiscard]] PENSTOCK_API at::Device resolve_device(
    const std::string& text, const StageConfig* forward = nullptr);

/// The path that `model:` means: a file or folder, or the name of a fetched
/// model. Throws Error(kNotFound) that says how to get it.
[[nodiscard]] PENSTOCK_API std::string resolve_model(const std::string& text);

}  // namespace penstock
