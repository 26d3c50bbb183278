// What the command line asked for.
#pragma once

#include <string>
#include <vector>

#include "penstock/pipeline_file.h"

namespace penstock::run {

struct Options {
  std::string file;                ///< a path or a bare name
  std::vector<std::string> texts;  ///< --text
  std::vector<std::string> files;  ///< files and folders; "-": stdin
  std::vector<std::string> named;  ///< --input, as NAME=VALUE or VALUE
  bool use_stdin = false;          ///< a request per line
  std::string jsonl;               ///< a path, "-" for stdin, or ""
  bool chat = false;               ///< a conversation on stdin
  std::vector<Override> overrides;
  std::vector<std::string> plugin_path;
  double timeout_s = 0;    ///< per request; 0: none
  double stall_s = 10;     ///< until a stage that hangs is told of; 0: never
  std::string until;       ///< name of a stage, or ""
  std::string step;        ///< which of a composition --show and --until mean
  std::string output;      ///< file for JSON lines, or "" for stdout
  std::string dump;        ///< folder for what stages made, or ""
  std::string trace;       ///< file to write, or ""
  std::string capsule;     ///< folder for what a stage that fails was given
  std::string capsule_at;  ///< a call that is kept although it does not fail
  std::string replay;      ///< such a folder, to run that call alone
  std::string compare;     ///< "A,B": two ways to run it, or ""
  double tolerance = 0;    ///< of that; 0: by dtype
  std::string render;      ///< folder for pictures, or ""
  bool json = false, show = false, quiet = false, summary = false;
  bool resume = false;  ///< behind what `output` holds
  bool check = false, explain = false;
  bool memory = false;       ///< with `check`: what the run will take
  std::string memory_limit;  ///< a size that it may take, or "": the machine's
};

/// Does it; gives the exit code. Throws Error.
int run(const Options& options);

}  // namespace penstock::run
