// Fake stages: a pipeline of numbers that needs no model.
//
// Text "3 1 4" becomes the tokens 3 1 4; RingModel scores what comes next from
// the last tokens; Greedy appends the best; Join prints the numbers.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "penstock/pipeline.h"
#include "penstock/plugin.h"

namespace penstock::fakes {

inline constexpr std::int64_t kVocab = 24;
inline constexpr std::int64_t kWindow = 8;

/// What the fakes of one test do and count. Shared by pointer, since stages
/// are made from params.
struct Script {
  int slots = 4;
  std::int64_t rollback = 8, whole = 0;  ///< as Caps
  bool is_stateful = true, can_copy = true, can_chunk = true;
  int throw_at_call = 0;        ///< Forward throws at this call, from 1
  std::int64_t nan_after = -1;  ///< sequences of this prompt token get NaN
  bool wrong_shape = false;
  std::chrono::microseconds forward_time{0};
  int max_new = 12;
  int items = 1;  ///< branches of a prompt
  std::int64_t drafts = 0;
  std::int64_t stop_after = -1;  ///< Writer says done at this many numbers
  std::function<void(const Request&)> in_preprocess;
  std::function<void(const StageContext&)> in_forwards_open;
  std::function<void(const Step&)> in_forward;
  std::function<void(const Sequence&)> in_decode;
  std::function<void(const Request&)> in_writer;
  std::function<Plan(Plan)> change_plan;
  std::atomic<int> calls{0}, accepted{0};
  std::atomic<std::int64_t> computed{0};
};

struct Params {
  std::int64_t script = 0;   ///< address of a Script
  std::int64_t max_new = 0;  ///< 0: the script's
};
[[nodiscard]] inline Script& script_of(const Params& params) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): params hold numbers and texts
  return *reinterpret_cast<Script*>(params.script);
}

/// What follows these tokens, by the textbook: the best score.
[[nodiscard]] std::int64_t next_token(const Tokens& tokens, int branch = 0);
/// The whole answer to a prompt.
[[nodiscard]] Tokens answer(Tokens prompt, int count, int branch = 0);

enum class Rows { kContinuous, kPadded };

struct Setup {
  Rows sequences = Rows::kContinuous;
  std::int64_t max_sequences = 4, chunk = 64, max_step_tokens = 256;
  double max_wait_ms = 2;
  bool prefix_cache = false;
  std::int64_t kept_mib = 0;
  double step_ms = 0;
};

/// A pipeline file of the fakes, as if it had been loaded and checked.
[[nodiscard]] PipelineFile file(Script& script, const Setup& setup = {});

/// Keeps all that a request gave.
class Collect final : public ResultSink {
 public:
  void piece(const Request& request, const Value& value, int branch,
             bool is_final) override;
  void done(const Request& request, const Report& report) override;

  /// Waits for the end; the report.
  const Report& wait();
  [[nodiscard]] bool is_done();
  [[nodiscard]] std::string text(int branch = 0);
  [[nodiscard]] int pieces();
  std::function<void()> on_piece;  ///< called first, may block
  std::atomic<int> times_done{0};

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::map<int, std::string> texts_;
  int pieces_ = 0;
  std::optional<Report> report_;
};

[[nodiscard]] Request request(const std::string& id, const std::string& text);
/// "5 7 1 ": what Join prints.
[[nodiscard]] std::string text_of(const Tokens& tokens);

}  // namespace penstock::fakes
