// What the command line of pipeline-bench asked for.
#pragma once

#include <string>
#include <vector>

#include "penstock/pipeline_file.h"

namespace penstock::bench {

struct Options {
  std::string file;                  ///< a path or a bare name
  std::vector<std::string> devices;  ///< in turn; empty: the file's
  std::vector<int> batches{1, 2, 4, 8, 16};
  int runs = 5, warmup = 1;
  std::int64_t prompt_tokens = 128, new_tokens = 64;  ///< of text pipelines
  std::vector<std::string> files;  ///< inputs, else the file's
  std::vector<Override> overrides;
  std::vector<std::string> plugin_path;
  std::string json;  ///< file to write, "-" for stdout, or ""
  bool quiet = false;
};

/// Does it; gives the exit code. Throws Error.
int bench(const Options& options);

}  // namespace penstock::bench
