// pipeline-check-plugin: tries a plugin library as its users will.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "common/harmless.h"
#include "common/program.h"
#include "common/usage.h"
#include "penstock/sdk_version.h"
#include "pipeline_check_plugin/check.h"
#include "pipeline_check_plugin/child.h"
#include "pipeline_check_plugin/stage_checks.h"

namespace {

using penstock::Code;
using penstock::Error;

constexpr const char* kFooter = R"(
Looks at the file: whether it was built for this Penstock, what it needs, lets
out and loads. Then tries each stage in a process of its own: made and opened a
hundred times, run alone and beside others, with inputs made up from its ports.
A stage that needs a model or a file of media is made only, and a note says so.

Exit codes: 0 no fault, 2 usage, 65 faults, 66 no such file, 75 try again.)";

/// The child: `--child FOLDER PLUGIN STAGE DESCRIPTOR`.
[[noreturn]] void answer(const std::vector<std::string>& words) {
  const std::string& folder = words.at(2);
  const int descriptor = std::stoi(words.at(5));
  const auto tell = [descriptor](penstock::check::Level level,
                                 const std::string& text) {
    const std::string line =
        penstock::check::line_of({.level = level, .about = {}, .text = text});
    if (write(descriptor, line.data(), line.size()) < 0) _exit(1);
  };
  // Where run_stage() looks for it.
  setenv("PENSTOCK_PLUGIN_PATH", folder.c_str(), /*overwrite=*/1);
  if (words.at(4).empty()) {
    penstock::check::try_plugin(folder, words.at(3), tell);
  } else {
    penstock::check::try_stage(folder, words.at(4), tell);
  }
  std::cout.flush();
  std::fflush(nullptr);
  _exit(0);
}

int run(int argc, char** argv) {
  CLI::App app("Tries a plugin library as its users will.",
               "pipeline-check-plugin");
  std::string library;
  int patience = 120;
  bool is_json = false;
  app.add_option("library", library, "the file libpenstock_NAME.so")
      ->required();
  app.add_option("--patience", patience, "how long a stage may be tried")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  app.add_flag("--json", is_json, "print JSON");
  app.set_version_flag("--version",
                       "pipeline-check-plugin " PENSTOCK_SDK_VERSION,
                       "print the version");
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::CallForVersion&) {
    std::cout << app.version() << "\n";
    return 0;
  } catch (const CLI::ParseError& error) {
    throw penstock::usage_error(app, error);
  }
  const auto findings =
      penstock::check::check_plugin(library, std::chrono::seconds(patience));
  std::cout << (is_json
                    ? penstock::check::as_json(findings)
                    : penstock::harmless(penstock::check::as_text(findings)));
  return penstock::check::has_faults(findings) ? static_cast<int>(Code::kData)
                                               : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv, argv + argc);
    if (words.size() == 6 && words[1] == penstock::check::kChildFlag) {
      answer(words);
    }
    penstock::open_standard_streams();
    penstock::leave(run(argc, argv));
  } catch (...) {
    penstock::leave(penstock::complain("pipeline-check-plugin"));
  }
}
