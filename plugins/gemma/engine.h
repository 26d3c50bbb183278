// Engine: runs the model behind gemma.forward.
//
// Its two implementations give the same answers. The reference is the model in
// ATen operations, on any device; the native one (native/) is written for CPUs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gemma/config.h"
#include "penstock/forward.h"

namespace penstock::gemma {

/// What the param `engine` says, what `dtype` and `kv_dtype` do, and `step`.
enum class EngineKind { kAuto, kNative, kReference };
enum class Dtype { kAuto, kFp32, kBf16, kInt8 };
enum class StepWay { kGraph, kPersistent, kScreened };

/// Engine thread only, as Forward.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  /// Number type that it computes in: "fp32", "bf16" or "int8".
  [[nodiscard]] virtual std::string_view dtype() const = 0;
  [[nodiscard]] virtual Caps caps() const = 0;
  /// Runs a step; `tokens` are those of its slices end to end,
  /// all in the vocabulary.
  [[nodiscard]] virtual Result run(const Step& step, const Tokens& tokens) = 0;
  virtual void release(int slot) noexcept = 0;
  virtual void truncate(int slot, std::int64_t length) = 0;
  virtual void copy(int from, int to) = 0;
  [[nodiscard]] virtual std::int64_t state_bytes(int slot) const = 0;
};

/// Tokens that a sliding layer's cache can always drop, half a
/// window: a question and its answer, so that the next question
/// continues from what stood before.
inline constexpr std::int64_t kRollback = 256;

/// Capabilities of caches with kRollback.
[[nodiscard]] Caps cache_caps(const Config& config, std::size_t slots);
/// Whether a scored position of the step wants its hidden state, or anything
/// for which the vocabulary is needed.
[[nodiscard]] bool wants_hidden(const Step& step);
[[nodiscard]] bool wants_scores(const Step& step);
/// Throws Error(kData) where so many positions with full scores
/// need too much memory.
void check_size(std::int64_t rows, std::int64_t vocab);
/// Appends the scores of further positions.
void append(Scores& all, const Scores& more);

}  // namespace penstock::gemma
