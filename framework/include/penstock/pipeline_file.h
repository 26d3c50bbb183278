// A pipeline file, read and checked: immutable structs that know where each
// value came from. Needs no tensors, no weights and no device.
//
// load_pipeline_file() finds every fault of a file in one pass; each becomes a
// line `file:line:column: what was wrong, what was expected, a suggestion`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "penstock/error.h"
#include "penstock/params.h"
#include "penstock/stage_spec.h"

namespace penstock {

/// Where stage types come from; plugin_host.h is the real one.
class PENSTOCK_API StageCatalog {
 public:
  virtual ~StageCatalog();
  /// The stage that `use: plugin.stage` names. Throws Error that says which
  /// plugin or stage is unknown and what there is.
  virtual const StageSpec& find(const std::string& use) = 0;
  /// Every stage that is known by now, for advice.
  [[nodiscard]] virtual std::vector<const StageSpec*> known() const;
};

/// A param's value and the words for where it came from: "default",
/// "gemma_text.yaml:7:38", "PENSTOCK_SET", "--set".
struct Setting {
  ParamValue value;
  std::string source;
};

struct StageConfig {
  const StageSpec* spec = nullptr;  ///< owned by the catalog, or:
  /// What `spec` points to where the ports are those of the model.
  std::shared_ptr<const StageSpec> described;
  std::string place;   ///< file:line:column of its `use`
  std::string model;   ///< its own, or the file's; as written
  std::string device;  ///< its own, or the file's: "auto", "cpu"
  std::string model_source, device_source;  ///< empty: it is the file's
  std::shared_ptr<const void> params;       ///< the checked struct
  std::map<std::string, Setting> settings;  ///< every param, by name
};

/// One request of `inputs:`, as written.
struct InputConfig {
  std::string id;  ///< may be empty
  std::map<std::string, std::string> values;
  std::map<std::string, Raw> options;
  std::string place;
};

struct PipelineFile {
  std::filesystem::path path;
  std::string name;         ///< the file name's stem where none is written
  std::string name_source;  ///< as Setting::source
  Setting model, device, threads;  ///< texts, and an integer (0: every core)
  std::vector<StageConfig> preprocess;
  StageConfig batch, forward, decode, postprocess;
  std::vector<StageConfig> rules;  ///< those that stand before `decode`
  std::vector<InputConfig> inputs;
  /// Lines for a person: names that have changed, with their places.
  std::vector<std::string> notices;

  /// The stages in order; the position is Stage::index.
  [[nodiscard]] PENSTOCK_API std::vector<const StageConfig*> stages() const;
};

/// Values that win over the file, weakest first: environment, then --set.
struct Override {
  std::string key;     ///< "device", "decode.temperature", "preprocess.0.x"
  std::string value;   ///< as raw_from_text() reads it
  std::string source;  ///< "PENSTOCK_DEVICE", "--set", ...
};

/// Every fault of a file. what() has a line for each.
class PENSTOCK_API ConfigError : public Error {
 public:
  explicit ConfigError(std::vector<std::string> problems,
                       Code code = Code::kData);
  ~ConfigError() override;
  [[nodiscard]] const std::vector<std::string>& problems() const {
    return problems_;
  }

 private:
  std::vector<std::string> problems_;
};

/// Throws Error(kNotFound) where there is no file, ConfigError else.
[[nodiscard]] PENSTOCK_API PipelineFile
load_pipeline_file(const std::filesystem::path& path, StageCatalog& catalog,
                   const std::vector<Override>& overrides = {});

/// More overrides for a file that was loaded, over those it has. Throws
/// ConfigError.
PENSTOCK_API void override_params(PipelineFile& file,
                                  const std::vector<Override>& overrides);

/// `text` as PENSTOCK_SET writes it: "decode.top_k=40;device=cpu".
[[nodiscard]] PENSTOCK_API std::vector<Override> parse_overrides(
    const std::string& text, const std::string& source);

/// PENSTOCK_DEVICE, PENSTOCK_THREADS and PENSTOCK_SET.
[[nodiscard]] PENSTOCK_API std::vector<Override> overrides_from_environment();

/// The file with every value in force and where it came from.
[[nodiscard]] PENSTOCK_API std::string explain(const PipelineFile& file);

/// The stage's params with a request's options over them: for each stage of
/// the file a struct. Throws Error(kData) for an unknown option (with a
/// suggestion), one that is not per-request, a wrong type or range, or a name
/// that two stages share and that is written without its stage.
[[nodiscard]] PENSTOCK_API std::vector<std::shared_ptr<const void>>
check_options(const PipelineFile& file,
              const std::map<std::string, Raw>& options);

}  // namespace penstock
