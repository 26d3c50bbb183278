// Postprocess: what does a person get?
#pragma once

#include <map>
#include <utility>

#include "penstock/decode.h"

namespace penstock {

class PENSTOCK_API OutputSink {
 public:
  virtual ~OutputSink();
  /// A piece of a branch's output; is_final with its last one. Json is one
  /// object: its keys become the result's, lists of several pieces go on.
  /// Throws Error(kInternal) for other JSON, or a branch that Decode never
  /// gave.
  virtual void emit(Value value, int branch, bool is_final) = 0;
};

/// The results of one request, one thread at a time: items in order, the
/// branches of an item interleaved, end() once.
class PENSTOCK_API Writer {
 public:
  virtual ~Writer();
  /// False: this branch is done (a stop string); the runtime ends its sequence.
  virtual bool write(const Decoded& decoded, OutputSink& out) = 0;
  virtual void end(OutputSink& out) = 0;
};

/// For Writers of text: of several items, each later one begins a line in its
/// branch's text.
class ItemLines {
 public:
  /// Before what is written of `decoded`, in every write().
  void begin(const Decoded& decoded, OutputSink& out) {
    const std::int64_t item = decoded.item->index;
    const auto last = last_.try_emplace(decoded.branch, item).first;
    if (std::exchange(last->second, item) == item) return;
    out.emit("\n", decoded.branch, /*is_final=*/false);
  }

 private:
  std::map<int, std::int64_t> last_;  ///< by branch: the item it wrote of last
};

/// Called by several threads at once, hence const.
class PENSTOCK_API Postprocess : public Stage {
 public:
  static constexpr StageKind kKind = StageKind::kPostprocess;
  [[nodiscard]] virtual std::unique_ptr<Writer> begin(
      const Request& request) const = 0;
};

}  // namespace penstock
