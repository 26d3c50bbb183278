// StageCall: what one call into a stage was given, for whoever keeps it when
// the call fails or hangs; KeptCall: the same, owned, to make it again.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "penstock/decode.h"
#include "penstock/pipeline_file.h"
#include "penstock/postprocess.h"
#include "penstock/stall.h"

namespace penstock {

/// A call that is about to be made or under way. Pointers are good as long as
/// the callback that gets it; what a stage's kind does not take is null.
struct StageCall {
  const PipelineFile* file = nullptr;
  const StageConfig* stage = nullptr;  ///< one of file->stages()
  std::size_t index = 0;               ///< its place there
  const Notes* facts = nullptr;        ///< of the model
  const Request* request = nullptr;    ///< null: of those of `step`
  const Item* item = nullptr;          ///< Preprocess: what it was handed
  const Step* step = nullptr;      ///< Batch (slices alone), Forward, Decode
  const Result* result = nullptr;  ///< Decode: what Forward computed
  /// Postprocess: what its Writer was handed, oldest first, this call's last;
  /// kept until the request's end while somebody watches.
  std::span<const Decoded> decoded = {};
  bool is_end = false;  ///< Postprocess: the call is Writer::end()
};

/// Is told of the calls into stages, each on the thread that makes it; it must
/// not throw. Not told of: open(), close(), plan(), admit(), start().
class PENSTOCK_API CallWatcher {
 public:
  virtual ~CallWatcher();
  /// Before the call.
  virtual void called(const StageCall& call);
  /// Instead of its return; what stages hand on was checked by then.
  virtual void failed(const StageCall& call, const Error& error);
  /// It has not returned, and cannot until this returns. On another thread,
  /// which may be told of several at once.
  virtual void hangs(const StageCall& call, const Stall& stall);
};

/// A call that owns what it was given.
struct KeptCall {
  std::size_t index = 0;  ///< place of the stage in PipelineFile::stages()
  Notes facts = {};
  std::vector<std::shared_ptr<Request>> requests = {};
  /// Their requests are of `requests`. Preprocess: the first, as handed.
  std::vector<std::shared_ptr<Item>> items = {};
  std::vector<std::unique_ptr<Sequence>> sequences = {};  ///< of `items`
  Step step = {};                                         ///< of `sequences`
  Result result = {};
  std::vector<Decoded> decoded = {};
  bool is_end = false;
  bool is_opening = false;  ///< no call: the stage is opened, nothing else
};

/// What a call made; empty is what its kind does not make.
struct Replayed {
  std::vector<Item> items = {};    ///< Preprocess
  Tensors inputs = {};             ///< Batch
  Result result = {};              ///< Forward; of Decode what it picked
  std::vector<Next> nexts = {};    ///< Decode
  std::vector<Value> values = {};  ///< Postprocess
};

/// Opens this one stage and makes the call again, on the calling thread, with
/// all checks of a run. A Forward with state gets that back by THE RULE: it is
/// first shown the tokens that were cached, for which its Batch is opened as
/// well. Decode's own memory of earlier steps is what start() makes. Throws
/// what opening or the call throws.
[[nodiscard]] PENSTOCK_API Replayed replay(const PipelineFile& file,
                                           KeptCall& call);

}  // namespace penstock
