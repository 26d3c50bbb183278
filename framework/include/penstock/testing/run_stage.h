// Runs one stage, written as a pipeline file writes it, on given inputs; fakes
// stand where its pipeline has other stages. Link penstock::testing.
//
//   const Made made = run_stage("{use: tidy.clean, markup: none}",
//                               {.inputs = {{"text", "<b>Hi</b>"}}});
//   EXPECT_EQ(get(made.items.at(0).notes, kText), "Hi");
//
// What the stage does passes all checks of a real run: params, ports, notes,
// what a step wants. An error is thrown, with the stage named.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "penstock/outcome.h"
#include "penstock/plugin_host.h"

namespace penstock::testing {

/// An Item without what the runtime adds to it.
struct GivenItem {
  Tokens tokens = {};
  Tensors inputs = {};
  Notes notes = {};
  int width = 1;
};

/// What the stage is given. Which of it counts depends on its kind.
struct Given {
  /// Of the request, as a user gives them: for a Preprocess.
  std::map<std::string, Value> inputs = {};
  /// Of the request, by param: {{"top_k", "3"}}.
  std::map<std::string, std::string> options = {};
  /// As `model:` in a pipeline file.
  std::string model = {};

  /// What Preprocess made. Of a Preprocess itself: what the stage before it
  /// made; it gets an empty item where there is none.
  std::vector<GivenItem> items = {};

  /// What the fake Forward scores as next: a score for each token id, of the
  /// sequence's tokens up to there; the same numbers are its hidden states.
  /// Unset: token 0.
  std::function<std::vector<float>(const Tokens&)> scores = {};
  /// What it gives of models without a vocabulary, without batch dim: of each
  /// item by its place in `items`.
  std::vector<Tensors> outputs = {};
  /// What it says of the model.
  Notes facts = {};

  /// What the fake Decode hands to Postprocess, in order, for the first item;
  /// the last ends it.
  std::vector<Decoded> decoded = {};
  /// Else it takes the best token so many times, and looks at every score.
  int new_tokens = 1;
};

/// A sequence's share of a step, as it ran.
struct MadeSlice {
  std::string request;
  std::int64_t item = 0;  ///< its place in Given::items
  int branch = 0;
  std::int64_t begin = 0, count = 0;  ///< tokens [begin, begin + count)
  std::int64_t out = 0, outs = 0;     ///< rows of Result::scores
};

struct MadeStep {
  std::vector<MadeSlice> slices;
  Tensors inputs;  ///< what Batch collated
  Result result;   ///< what Forward computed
};

/// What every stage made, fakes included, in order.
struct Made {
  std::vector<GivenItem> items;  ///< that the last Preprocess pushed
  std::vector<MadeStep> steps;
  std::vector<Decoded> decoded;
  Outcome outcome;  ///< what Postprocess emitted, and the report
};

/// Runs the stage. `yaml` is what stands behind `decode:` in a pipeline file,
/// for a Preprocess also a list, in which `fake.preprocess` pushes the items
/// that the next gets. Its plugin is the one that is linked to the
/// test, or one that a program would find. Throws Error as a run would.
[[nodiscard]] Made run_stage(const std::string& yaml, const Given& given = {});

/// The same of several stages: `yaml` has the keys `preprocess:` to
/// `postprocess:` that are not fakes.
[[nodiscard]] Made run_stages(const std::string& yaml, const Given& given = {});

/// Finds stages for tests: those of the plugin whose objects are linked to the
/// program first, then those on the search path.
class LinkedCatalog : public StageCatalog {
 public:
  LinkedCatalog();
  ~LinkedCatalog() override;
  const StageSpec& find(const std::string& use) override;
  [[nodiscard]] std::vector<const StageSpec*> known() const override;
  /// Of the linked plugin; empty where none is linked.
  [[nodiscard]] const std::vector<StageSpec>& linked() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::testing
