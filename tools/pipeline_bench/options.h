// What the command line of pipeline-bench asked for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "penstock/pipeline_file.h"

namespace penstock::bench {

struct Options {
  std::string file;                  ///< a path or a bare name
  std::vector<std::string> devices;  ///< each a variant; empty: the file's
  std::vector<std::string> versus;   ///< settings of the other variants
  std::vector<int> batches;          ///< requests at the same time
  std::vector<double> rates;         ///< requests a second
  int requests = 32;                 ///< of a run at a rate
  int runs = 5;                      ///< of each variant and load, warm
  std::optional<int> warmup;         ///< runs before those; unset: as found
  std::int64_t prompt_tokens = 128, new_tokens = 64;  ///< of text pipelines
  std::vector<std::string> files;  ///< inputs, else the file's
  std::vector<Override> overrides;
  std::vector<std::string> plugin_path;
  std::string json;  ///< file to write, "-" for stdout, or ""
  std::string html;  ///< file to write, or ""
  bool quiet = false;
};

/// Does it; gives the exit code. Throws Error.
int bench(const Options& options);

}  // namespace penstock::bench
