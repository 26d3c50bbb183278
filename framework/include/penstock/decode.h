// Decode: what do the scores mean, and is it finished?
#pragma once

#include <exception>
#include <optional>
#include <vector>

#include "penstock/error.h"
#include "penstock/stage.h"
#include "penstock/step.h"

namespace penstock {

enum class Finish {
  kNo,
  kStop,     ///< the answer is whole, its last token included
  kStopId,   ///< its last token ended it and is no part of its text
  kLength,   ///< a limit ended it
  kEnd,      ///< the input was used up
  kDropped,  ///< a branch that lost; its output is withdrawn
};
[[nodiscard]] PENSTOCK_API std::string to_string(Finish finish);

/// What Decode hands to Postprocess.
struct Decoded {
  Tokens tokens;
  Tensors tensors;
  Notes notes;
  // Set by the runtime:
  std::shared_ptr<const Item> item;
  int branch = 0;
  Finish finish = Finish::kNo;
};

/// What becomes of a slice's sequence. Several of one slice: a fork, whose
/// first keeps the slot.
struct Next {
  std::size_t slice = 0;
  int branch = -1;            ///< name of this child; -1: the parent's
  std::int64_t keep = kAll;   ///< first cut the sequence to so many tokens
  Tokens tokens;              ///< then append
  Tokens draft;               ///< then guess
  bool reset = false;         ///< empty the slot
  Tensors inputs;             ///< of the sequence's next step, as declared
  std::optional<Want> want;   ///< unset: as before
  std::vector<Decoded> emit;  ///< then give out, in order
  Finish finish = Finish::kNo;
  std::exception_ptr error;  ///< fails this sequence only
};

/// Thrown by a Decode, or put into Next::error, when what Forward gave cannot
/// be used, such as scores that are not finite: Forward is named, not Decode.
class PENSTOCK_API ForwardFault : public Error {
 public:
  explicit ForwardFault(const std::string& text);
  ~ForwardFault() override;
};

/// Engine thread only.
class PENSTOCK_API Decode : public Stage {
 public:
  static constexpr StageKind kKind = StageKind::kDecode;
  /// Once per item: sets sequence.want, sequence.draft, item->state. A Decode
  /// that declares takes_rules() does as item->rules say.
  virtual void start(Sequence& /*sequence*/) {}
  /// On Forward's device, enqueue only: the device half. What it returns the
  /// runtime copies to the CPU, so the less the better. It leaves the tensors
  /// that it is given as they are, which the runtime looks at behind it.
  [[nodiscard]] virtual Result pick(const Step& /*step*/, Result result) {
    return result;
  }
  /// Host half: at least one Next for each slice with outs > 0. All that was
  /// picked is on the CPU.
  virtual void decode(const Step& step, const Result& picked,
                      std::vector<Next>& out) = 0;
};

}  // namespace penstock
