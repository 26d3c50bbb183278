// --capsule: keeps what the stage that failed or hangs was given, in a folder
// that --replay runs that stage from.
//
//   pipeline.yaml        the pipeline in force, without its inputs
//   capsule.json         why, versions, the call; see kept_json.h
//   tensors.safetensors  its tensors
//   bytes.0, ...         files that were given from memory
//   trace.json           what ran when, until then
//
// Nothing is written where nothing fails. Of several failures the first is
// kept.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "penstock/composition_file.h"
#include "penstock/plugin_host.h"
#include "penstock/stage_call.h"

namespace penstock::run {

/// Which call to keep although it does not fail: "forward:3" is the third of
/// forward. Throws Error(kUsage).
struct CallNumber {
  StageKind stage = StageKind::kForward;
  std::int64_t number = 1;
};
[[nodiscard]] CallNumber call_number(const std::string& text);

class Capsule final : public CallWatcher {
 public:
  /// Makes the folder, which others may not read; throws Error where it is not
  /// empty or cannot be made. `at`: as call_number() reads it, or "".
  Capsule(std::filesystem::path folder, const std::string& at,
          const CompositionFile& file, const PluginHost& plugins);
  /// Removes a folder in which nothing was kept.
  ~Capsule() override;

  /// Where the trace comes from, once there is one.
  void on_trace(std::function<std::string()> trace);
  /// Keeps that a stage could not be opened: it was given nothing.
  void keep(const Error& error);

  void called(const StageCall& call) override;
  void failed(const StageCall& call, const Error& error) override;
  void hangs(const StageCall& call, const Stall& stall) override;

 private:
  struct Why;
  void keep(const Why& why, const PipelineFile& file, const StageCall* call);
  void write(const Why& why, const PipelineFile& file, const StageCall* call);
  [[nodiscard]] bool is_asked(const StageCall& call);

  std::filesystem::path folder_;
  std::optional<CallNumber> at_;
  const CompositionFile file_;
  const PluginHost& plugins_;
  bool is_made_ = false;  ///< the folder is ours to remove
  std::mutex mutex_;
  std::function<std::string()> trace_;
  std::map<StageKind, std::int64_t> calls_;
  bool is_kept_ = false;
};

}  // namespace penstock::run
