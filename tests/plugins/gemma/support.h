// Shared by the tests of the gemma plugin: goldens, a Forward driven by hand,
// whole pipelines.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gemma/forward.h"
#include "penstock/pipeline.h"

namespace penstock::gemma {

[[nodiscard]] std::string repository();  ///< its path, with a slash
/// Where models run: PENSTOCK_TEST_DEVICE, for a build with CUDA, else "cpu".
[[nodiscard]] std::string test_device();
[[nodiscard]] std::string tiny(const std::string& name);  ///< a fixture
[[nodiscard]] nlohmann::json golden_json(const std::string& path);
[[nodiscard]] at::Tensor golden_floats(const std::string& path,
                                       const std::vector<std::int64_t>& shape);

/// An open gemma.forward without a pipeline around it.
class Driven {
 public:
  Driven(const std::string& model, const GemmaForward::Params& params,
         int slots = 4);
  [[nodiscard]] GemmaForward& forward() { return forward_; }
  [[nodiscard]] const Notes& facts() const { return facts_; }

  /// Runs a sequence in slot 0, in chunks; joins the scores of all steps.
  /// want.from counts as for a row. The slot is empty afterwards.
  [[nodiscard]] Scores run(const Tokens& tokens, const Want& want,
                           std::int64_t chunk = 512);

 private:
  Notes facts_;
  GemmaForward forward_;
};

/// Keeps a result.
class Keep final : public ResultSink {
 public:
  void piece(const Request& request, const Value& value, int branch,
             bool is_final) override;
  void done(const Request& request, const Report& whole) override;
  std::string text;  ///< of branch 0
  std::map<int, std::string> texts;
  std::vector<std::string> json;  ///< JSON pieces of branch 0
  Report report;
  Stats stats;  ///< of the run, when it was over
};

/// How to run a pipeline; the defaults are those of gemma_text.yaml.
struct RunOptions {
  std::string model = {};
  bool is_padded = false, cache = true;
  std::int64_t max_sequences = 8, chunk = 512, max_new_tokens = 64;
  std::string dtype = "fp32", engine = "auto";
  std::vector<Override> more = {};  ///< over all of these
  Observer* observer = nullptr;
};

/// Results of the requests, which may have options, in their order. Failures
/// stand in the reports.
[[nodiscard]] std::vector<std::shared_ptr<Keep>> run_requests(
    std::vector<Request> requests, const RunOptions& how);

/// Runs requests through one of our pipelines by name, with
/// overrides of its params.
[[nodiscard]] std::vector<std::shared_ptr<Keep>> run_file(
    const std::string& name, std::vector<Request> requests,
    const std::vector<Override>& overrides, Observer* observer = nullptr);

/// Results of the prompts, in their order. Throws the first error.
[[nodiscard]] std::vector<std::shared_ptr<Keep>> run(
    const std::vector<std::string>& prompts, const RunOptions& how);

/// Compares greedy ids with a golden's; a difference is allowed only at a near
/// tie (margin < 4e-3), after which the rest is another text. Gives the
/// failures; near ties are printed.
[[nodiscard]] std::string compare_greedy(const Tokens& got,
                                         const Tokens& wanted,
                                         const std::vector<double>& margins,
                                         const std::string& name);

}  // namespace penstock::gemma
