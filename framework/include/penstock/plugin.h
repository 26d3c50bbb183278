// What a plugin library exports. In one of its files:
//
//   PENSTOCK_PLUGIN(my_plugin, registry) {
//     registry.add<Reverse>("reverse");        // my_plugin.reverse
//   }
//
// where Reverse derives from one of the five interfaces, or Rule, and has
//
//   struct Params { ... };
//   static void declare(Declaration<Reverse>& d);   // ports and params
//   explicit Reverse(const Params& params);
//
// A stage whose ports are not the same for every model has as well one of
//
//   static Ports describe(const Params& params, const std::string& model);
//   static Ports describe(const Params& params);   // its params say it all
//
// It is called while a pipeline file is checked, with the model as the file
// writes it, and reads the head of the model file alone: milliseconds, no
// weight. What it returns stands for the declared inputs and outputs. It throws
// Error(kNotFound) where the model is not there, kData where it does not fit.
//
// A stage of devices({"cpu", "cuda"}) needs a libtorch with CUDA. One that has
// an engine of its own for GPUs, or params with which it runs on the CPU alone,
// says
//
//   static std::string why_no_gpu(const Params& params,
//                                 const std::string& model, const Gpus& gpus,
//                                 int index);
//
// why it cannot compute on gpus.all[index], which is there: in a sentence
// without its end, "" where it can. `model` is a path, or "" where there is
// none yet. Called before the stage is made; opens nothing on the GPU and
// throws nothing.
//
// The macro also writes an ELF note with the facts that must agree between
// plugin and host. It is read from the file and compared before the library is
// opened: a static constructor would run before any symbol can be asked.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "penstock/abi.h"
#include "penstock/batch.h"
#include "penstock/decode.h"
#include "penstock/forward.h"
#include "penstock/postprocess.h"
#include "penstock/preprocess.h"
#include "penstock/rule.h"

namespace penstock {

/// The stages of one plugin, in the order they were added.
class PENSTOCK_API Registry {
 public:
  explicit Registry(std::string plugin) : plugin_(std::move(plugin)) {}

  /// `former`: the name it had before; still read, and told. Throws
  /// Error(kInternal) when the name is taken or malformed, a doc is missing, or
  /// a declaration contradicts itself: a default outside its range or choices,
  /// a range of a text, an unknown dtype.
  template <class T>
  void add(const std::string& name, const std::string& former = "") {
    Declaration<T> declaration;
    T::declare(declaration);
    StageSpec spec = declaration.take();
    spec.name = plugin_ + "." + name;
    if (!former.empty()) spec.former = plugin_ + "." + former;
    spec.kind = T::kKind;
    spec.make = [](const void* params) -> std::unique_ptr<Stage> {
      return std::make_unique<T>(
          *static_cast<const typename T::Params*>(params));
    };
    if constexpr (requires(const typename T::Params& p, std::string model) {
                    T::describe(p, model);
                  }) {
      spec.describe = [](const void* params, const std::string& model) {
        return T::describe(*static_cast<const typename T::Params*>(params),
                           model);
      };
    }
    if constexpr (requires(const typename T::Params& p) { T::describe(p); }) {
      spec.describe = [](const void* params, const std::string& /*model*/) {
        return T::describe(*static_cast<const typename T::Params*>(params));
      };
      spec.describes_params = true;
    }
    if constexpr (requires(const typename T::Params& p, std::string model,
                           const Gpus& gpus) {
                    T::why_no_gpu(p, model, gpus, 0);
                  }) {
      spec.why_no_gpu = [](const void* params, const std::string& model,
                           const Gpus& gpus, int index) {
        return T::why_no_gpu(*static_cast<const typename T::Params*>(params),
                             model, gpus, index);
      };
    }
    insert(std::move(spec));
  }

  [[nodiscard]] const std::vector<StageSpec>& specs() const { return specs_; }

 private:
  void insert(StageSpec spec);

  std::string plugin_;
  std::vector<StageSpec> specs_;
};

/// What the exported symbol `penstock_plugin` returns.
struct PluginEntry {
  const char* abi;   ///< the note's text again: the second look
  const char* name;  ///< plugin name; the library is libpenstock_<name>.so
  void (*add_stages)(Registry&);
};

}  // namespace penstock

// A macro, because it must define a C symbol.
// NOLINTBEGIN(cppcoreguidelines-macro-usage,bugprone-macro-parentheses)
#define PENSTOCK_PLUGIN(plugin_name, registry)                               \
  PENSTOCK_ABI_NOTE(plugin_name)                                             \
  static void penstock_add_stages(::penstock::Registry&);                    \
  extern "C" PENSTOCK_API const ::penstock::PluginEntry* penstock_plugin() { \
    static const ::penstock::PluginEntry entry{                              \
        ::penstock::kAbiText, #plugin_name, &penstock_add_stages};           \
    return &entry;                                                           \
  }                                                                          \
  static void penstock_add_stages(::penstock::Registry& registry)
// NOLINTEND(cppcoreguidelines-macro-usage,bugprone-macro-parentheses)
