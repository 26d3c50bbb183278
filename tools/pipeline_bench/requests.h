// What a measurement runs: the requests of the command line or of the file, and
// the pipelines to run them through.
#pragma once

#include <string>
#include <vector>

#include "penstock/plugin_host.h"
#include "penstock/request.h"
#include "pipeline_bench/options.h"

namespace penstock::bench {

/// A pipeline to measure: the file with what one `--vs` and `--device` say.
struct Variant {
  std::string name;      ///< "A", or the device where there is no --vs
  std::string device;    ///< as asked for; empty: the file's
  std::string settings;  ///< of its --vs; empty: none
  PipelineFile file;
};

/// Every device with the file as it is, then with each --vs. Throws Error.
[[nodiscard]] std::vector<Variant> variants_of(const Options& options,
                                               PluginHost& plugins);

/// Text as long as wanted, the same number of new tokens each time; at least
/// one. Throws Error.
[[nodiscard]] std::vector<Request> requests_of(const Options& options,
                                               const PipelineFile& file);

}  // namespace penstock::bench
