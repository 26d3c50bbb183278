// What looks at a run from inside, together: --show, --until and --dump.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "penstock/runner.h"
#include "pipeline_run/options.h"
#include "pipeline_run/output/output.h"

namespace penstock::run {

/// The stage that --until names; without it, the last.
[[nodiscard]] StageKind last_stage(const Options& options);

class Dump;

class Watch final : public Observer {
 public:
  /// Throws Error where --dump cannot begin.
  Watch(const Options& options, const CompositionFile& file, Output& output);
  ~Watch() override;

  /// Somebody looks: give it to the pipeline, and preprocess in order.
  [[nodiscard]] bool is_needed() const {
    return dump_ != nullptr || !shown_.empty();
  }
  /// What to do, once, when looking turns out to be in vain; on any thread.
  void on_lost(std::function<void()> quit);
  [[nodiscard]] std::optional<Error> error() const;
  /// The sink of a request, with those who look at its results.
  [[nodiscard]] std::shared_ptr<ResultSink> watched(
      std::shared_ptr<ResultSink> sink) const;

  void item(const Request& request, const Item& item) override;
  void step(const Step& step, const Result& result) override;
  void decoded(const Request& request, const Decoded& decoded) override;
  /// Of a request that no pipeline ran.
  void done(const Request& request, const Report& report);

 private:
  bool prints_tensors_, is_json_;
  std::string step_;  ///< that is shown; "": of one pipeline
  std::shared_ptr<Dump> dump_;
  std::vector<std::shared_ptr<Observer>> shown_;
};

}  // namespace penstock::run
