// --dump: keeps what every stage made of every request, in a folder for each.
// Written as it goes, so that memory does not grow with the run.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "penstock/runner.h"
#include "pipeline_run/inspect/dump_folder.h"

namespace penstock::run {

class Dump final : public Observer {
 public:
  /// `folder` becomes a new one, or is empty. Throws Error: kUsage where it is
  /// not, kRetry where it cannot be made.
  /// `last`: the stage until which the last step runs. The steps of a
  /// composition have a folder each.
  Dump(std::filesystem::path folder, const CompositionFile& file,
       StageKind last);
  ~Dump() override;

  /// What to do, once, when a file could not be written; on any thread.
  void on_lost(std::function<void()> quit) { quit_ = std::move(quit); }
  /// Why a file could not be written. Nothing is written after that.
  [[nodiscard]] std::optional<Error> error() const;
  /// A sink that keeps what Postprocess gives and passes it on.
  [[nodiscard]] std::shared_ptr<ResultSink> watch(
      std::shared_ptr<ResultSink> sink);

  void item(const Request& request, const Item& item) override;
  void step(const Step& step, const Result& result) override;
  void decoded(const Request& request, const Decoded& decoded) override;
  void piece(const Request& request, const Value& value, int branch);
  void part_done(const Request& request, const Report& report);

 private:
  /// Calls `write` under the lock, unless something was lost.
  void guarded(const std::function<void()>& write);
  DumpFolder& folder_of(const Request& request);

  /// Whether `stage` of the request's step runs.
  [[nodiscard]] bool has(const Request& request, StageKind stage) const;

  struct StepDump {
    std::filesystem::path path;
    nlohmann::ordered_json pipeline;
    std::int64_t steps = 0;  ///< that its pipeline ran
  };
  std::map<std::string, StepDump> of_steps_;
  std::string last_step_;
  StageKind last_;
  std::function<void()> quit_;
  mutable std::mutex mutex_;
  std::map<const Request*, std::unique_ptr<DumpFolder>> open_;
  std::optional<Error> error_;
};

}  // namespace penstock::run
