// The stages of a pipeline, made from its file and opened in the right order.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "penstock/batch.h"
#include "penstock/decode.h"
#include "penstock/forward.h"
#include "penstock/memory_plan.h"
#include "penstock/pipeline_file.h"
#include "penstock/postprocess.h"
#include "penstock/preprocess.h"
#include "penstock/rule.h"
#include "runtime/boundary.h"

namespace penstock {

class CallWatcher;

/// The stage, for errors.
[[nodiscard]] Place place_of(const StageConfig& config);

struct Stages {
  std::vector<std::unique_ptr<Preprocess>> preprocess;
  std::unique_ptr<Batch> batch;
  std::unique_ptr<Forward> forward;
  std::vector<std::unique_ptr<Rule>> rules;
  std::unique_ptr<Decode> decode;
  std::unique_ptr<Postprocess> postprocess;
  Notes facts;
  /// For each stage, the notes that an item may have once it has passed it.
  std::vector<std::vector<NoteSpec>> item_notes;
  Boundary boundary;

  /// Makes every stage: cheap, nothing is loaded.
  explicit Stages(const PipelineFile& file);
  ~Stages();
  Stages(const Stages&) = delete;
  Stages& operator=(const Stages&) = delete;
  enum class Which {
    kWhole,
    kLoop,  ///< Batch, Forward and Decode alone: those of another replica
  };
  /// Opens Batch, then Forward (it sets the facts), then the others in their
  /// order, to compute on so many threads. When one throws, those that were
  /// open are closed.
  void open(const PipelineFile& file, at::Device device, int threads,
            Which which);
  void open_preprocess(const PipelineFile& file);
  /// The stage at `place` of the file's, and of others what it cannot do
  /// without: of Forward its Batch, of Decode its rules. `known` facts stand
  /// for those of Forward.
  void open_only(const PipelineFile& file, at::Device device, std::size_t place,
                 const Notes& known);
  void close() noexcept;
  [[nodiscard]] bool are_rules_open() const { return are_rules_open_; }
  /// What each stage foresees, in the order in which they are opened. Of the
  /// models nothing but heads of files is read.
  [[nodiscard]] std::vector<StageMemory> memory(
      const PipelineFile& file, const std::vector<at::Device>& devices,
      const MemoryLoad& load) const;

 private:
  using Shared = std::map<std::string, std::shared_ptr<const void>>;
  /// Of every stage alike; what a stage's own is stands in open_one().
  [[nodiscard]] StageContext context_for(at::Device device, Notes& known,
                                         Shared* shared) const;
  /// Each stage with its part of the file, in the order in which they open.
  template <class Visit>
  void each(const PipelineFile& file, Visit&& visit) const;
  /// Footprint::best_scores of the pipeline.
  [[nodiscard]] std::int64_t best_scores(const PipelineFile& file,
                                         StageContext context) const;
  /// The stage finds the facts that it declared, and `shared`'s other members.
  void open_one(Stage& stage, const StageConfig& config,
                const StageContext& shared);

  /// Adds those of one replica; of all but the first the loop's alone.
  void add_memory(const PipelineFile& file, at::Device device,
                  const MemoryLoad& load, std::vector<StageMemory>& out) const;
  void open_rest(const PipelineFile& file, const StageContext& context);

  std::vector<Place> places_;  ///< by Stage::index
  std::vector<Stage*> opened_;
  bool are_rules_open_ = false;
};

/// What a request asks of each rule. Rules that are not open ask nothing.
[[nodiscard]] std::vector<std::shared_ptr<const PreparedRule>> prepare_rules(
    const Stages& stages, const PipelineFile& file, const Request& request,
    CallWatcher* watcher = nullptr);

/// Pushes a request's items through the list of Preprocess stages. `see` is
/// told the notes of every item that a stage gives, also where a later stage
/// lets it go no further.
void run_preprocess(const Stages& stages, const PipelineFile& file,
                    const Request& request, ItemSink& out,
                    const std::function<void(const Notes&)>& see = {},
                    CallWatcher* watcher = nullptr);

}  // namespace penstock
