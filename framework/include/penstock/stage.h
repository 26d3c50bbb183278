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

struct StageContext {
  at::Device device = at::kCPU;
  std::string model;  ///< path of the model file or folder; may be empty
  int slots = 0;      ///< sequences that can run at once
  int threads = 1;    ///< the process's budget of compute threads
  std::int64_t max_step_tokens =
      0;  ///< of one sequence in one step; 0: unknown
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

/// What a stage foresees, in bytes and tokens; 0: nothing or unknown.
struct Footprint {
  std::int64_t bytes = 0;           ///< that open() takes
  std::int64_t context_length = 0;  ///< most tokens of a sequence
  std::int64_t sequence_bytes =
      0;  ///< that a sequence of that length takes in addition
};

class PENSTOCK_API Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage();

  /// Loads nothing. There are no facts yet.
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
