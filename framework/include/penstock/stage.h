// Stage: the life that the five interfaces share.
//
//   constructor(params)   cheap; params are already checked
//   memory(context)       what open() will take, before anything loads
//   open(context)         loads; Forward first, so that others read its facts
//   calls                 see preprocess.h ... postprocess.h
//   close()               once; not called when open() threw
#pragma once

#include <c10/core/Device.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <typeinfo>

#include "penstock/request.h"
#include "penstock/stage_spec.h"

namespace penstock {

struct Caps;

/// What is asked of a pipeline at once, as far as that is known before it runs.
struct MemoryLoad {
  /// Sequences that run together; 0: as many as Batch takes. A stage is told
  /// the number.
  int sequences = 0;
  /// Prompt and answer of each; 0: as many as the model takes.
  std::int64_t tokens = 0;
  std::int64_t answer = 0;  ///< of these the model's own; 0: not known
  /// Footprint::best_scores of Decode; set by the runtime.
  std::int64_t best_scores = 1;
};

struct StageContext {
  at::Device device = at::kCPU;
  std::string model;  ///< path of the model file or folder; may be empty
  int slots = 0;      ///< sequences that can run at once
  int threads = 1;    ///< the budget of compute threads, see parallel.h
  std::int64_t max_step_tokens =
      0;                 ///< of one sequence in one step; 0: unknown
  MemoryLoad load = {};  ///< for memory(): what it should reckon with
  /// What the model says of itself, by the facts of keys.h. Forward sets them
  /// in open(); another stage finds those that it declared.
  Notes& facts;
  /// What share() keeps while the stages of a pipeline are opened; null: no
  /// other stage is.
  std::map<std::string, std::shared_ptr<const void>>* shared = nullptr;

  /// What several stages make of the model alike, such as its vocabulary: made
  /// by the first that asks, as a std::shared_ptr<const T>.
  template <class T, class Make>
  [[nodiscard]] std::shared_ptr<const T> share(const Make& make) const {
    if (shared == nullptr) return make();
    auto& entry = (*shared)[key_of<T>()];
    if (!entry) entry = std::shared_ptr<const T>(make());
    return std::static_pointer_cast<const T>(entry);
  }
  /// What a stage that was opened before this one shared; null: none did.
  template <class T>
  [[nodiscard]] std::shared_ptr<const T> shared_by_another() const {
    if (shared == nullptr) return nullptr;
    const auto found = shared->find(key_of<T>());
    if (found == shared->end()) return nullptr;
    return std::static_pointer_cast<const T>(found->second);
  }
  template <class T>
  [[nodiscard]] std::string key_of() const {
    return model + ' ' + typeid(T).name();
  }
};

/// What a stage foresees of its memory, in bytes, found from the heads of its
/// files; 0: nothing. A request's own inputs, such as a picture, are not
/// counted: nobody has seen them yet. A stage that is `light()` need not say.
struct Footprint {
  std::int64_t bytes = 0;  ///< that open() takes and keeps
  /// Most tokens of a sequence that the model takes; 0: it has no limit.
  std::int64_t context_length = 0;
  /// That each running sequence takes, at the tokens of StageContext::load.
  std::int64_t sequence_bytes = 0;
  /// Of files that stay mapped and are read: the system may drop these.
  std::int64_t mapped_bytes = 0;
  std::int64_t opening_bytes = 0;  ///< that open() takes and gives back
  std::int64_t working_bytes = 0;  ///< that calls take, of all sequences
  /// Of Decode: how many of a token's best scores it has computed; -1: every
  /// one, 0: none.
  std::int64_t best_scores = 1;
  bool is_known = true;  ///< false: the stage does not say
};

class PENSTOCK_API Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage();

  /// Loads nothing. There are no facts yet. Of a stage that does not say, a
  /// memory plan says so.
  [[nodiscard]] virtual Footprint memory(const StageContext& context) const;
  virtual void open(StageContext& context);
  virtual void close() noexcept;

  /// Place in the pipeline, the key of Request::checked. Set by the runtime.
  std::size_t index = 0;
};

/// The stage's params as this request set them.
template <class P>
[[nodiscard]] const P& params(const Stage& stage, const Request& request) {
  return *static_cast<const P*>(request.checked.at(stage.index).get());
}

}  // namespace penstock
