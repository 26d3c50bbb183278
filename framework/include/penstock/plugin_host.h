// Finds plugins, looks at them before they run, opens them once and keeps them
// until the process ends.
//
// A plugin `gemma` is the file libpenstock_gemma.so in one folder of the search
// path. Before dlopen its ELF note is read from the file and compared with the
// host's; folders and files that others may write are refused.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "penstock/pipeline_file.h"

namespace penstock {

/// What a library says of itself, read without running any of it.
struct PluginFacts {
  std::filesystem::path path;
  std::string name;     ///< from the file name
  std::string abi;      ///< the note; empty when there is none
  std::string problem;  ///< why it cannot be opened here; empty: it can
};

class PENSTOCK_API PluginHost : public StageCatalog {
 public:
  /// Searches `folders` in order. Two plugins of one name: an Error on use.
  explicit PluginHost(std::vector<std::filesystem::path> folders);
  ~PluginHost() override;

  /// --plugin-path folders, then $PENSTOCK_PLUGIN_PATH, then beside the
  /// program: ../lib/penstock/plugins, then beside libpenstock.so:
  /// penstock/plugins.
  [[nodiscard]] static std::vector<std::filesystem::path> search_path(
      const std::vector<std::filesystem::path>& first = {});

  /// Opens the plugin on first use. Throws Error: kData for an unknown plugin
  /// or stage (naming those there are), kInternal for a foreign or broken
  /// library, naming both sides and what to do.
  const StageSpec& find(const std::string& use) override;

  /// The stages of every plugin that is open.
  [[nodiscard]] std::vector<const StageSpec*> known() const override;

  /// Every library on the search path; opens none.
  [[nodiscard]] std::vector<PluginFacts> plugins() const;
  /// The stages of a plugin; opens it.
  [[nodiscard]] const std::vector<StageSpec>& stages(const std::string& plugin);

  /// What opening plugins did that a person should know, a sentence each, in
  /// order; the caller shows it.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Reads a library's note and rights; never opens it.
[[nodiscard]] PENSTOCK_API PluginFacts
inspect_plugin(const std::filesystem::path& path);

}  // namespace penstock
