// What the command line asks for.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "penstock/pipeline_file.h"
#include "pipeline_serve/http/server.h"
#include "pipeline_serve/serving/front.h"
#include "pipeline_serve/serving/served.h"

namespace penstock::serve {

struct Options {
  std::vector<std::string> pipelines;  ///< "FILE", "NAME" or "NAME=FILE"
  std::vector<Override> overrides;     ///< keys begin with a pipeline's name
  std::vector<std::string> plugin_path;
  Address address;
  std::string key_file, certificate, key;
  bool is_insecure = false;  ///< other addresses without keys
  bool check = false, explain = false, summary = false;
  double drain_s = 30;
  int threads = 0;    ///< that compute; 0: every core
  std::string trace;  ///< a file for Chrome or Perfetto; empty: none
  FrontOptions front;
  ServedOptions served;
};

/// Serves until a signal; gives the exit code. Throws Error. `again` reads the
/// command line and its files anew, for SIGHUP; it throws as at the start.
int serve(Options options, std::function<Options()> again);

}  // namespace penstock::serve
