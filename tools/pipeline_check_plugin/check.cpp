#include "pipeline_check_plugin/check.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "penstock/plugin_host.h"
#include "pipeline_check_plugin/child.h"
#include "pipeline_check_plugin/library_file.h"

namespace penstock::check {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kLibrary = "library";
constexpr std::string_view kStageWord = "stage ";

void add(Findings& findings, Level level, const std::string& text) {
  findings.push_back({.level = level, .about = kLibrary, .text = text});
}

/// Other teams of threads and tensors in one process than the host's.
void check_needed(const LibraryFile& file, Findings& findings) {
  for (const std::string& name : file.needed) {
    for (const char* other : {"libgomp", "libiomp", "libomp"}) {
      if (!name.starts_with(other)) continue;
      add(findings, Level::kNote,
          str("needs ", name,
              ": OpenMP's threads come on top of the budget of --threads; "
              "penstock/parallel.h has parallel_for()"));
    }
    if (name == "libtorch.so" || name == "libtorch_python.so") {
      add(findings, Level::kNote,
          str("needs ", name,
              ", which programs do not load: link "
              "penstock::penstock alone"));
    }
  }
}

void check_run_path(const LibraryFile& file, Findings& findings) {
  for (const std::string& entry : file.run_path) {
    if (entry.starts_with("/") || entry.starts_with("$ORIGIN")) continue;
    add(findings, Level::kFault,
        str("its RUNPATH has the entry '", entry,
            "': libraries would be loaded from the current folder"));
  }
}

/// Not the entry, nor what the linker adds.
bool is_own(const std::string& symbol) {
  constexpr auto kKnown = std::to_array<std::string_view>(
      {"penstock_plugin", "_init", "_fini", "_edata", "_end", "__bss_start"});
  return std::find(kKnown.begin(), kKnown.end(), symbol) == kKnown.end();
}

void check_symbols(const LibraryFile& file, Findings& findings) {
  const auto& all = file.exported;
  const auto leaked = std::count_if(all.begin(), all.end(), is_own);
  if (leaked > 0) {
    add(findings, Level::kNote,
        str("exports symbols of its own (", leaked, ", the first ",
            *std::find_if(all.begin(), all.end(), is_own),
            "): another plugin's may take their place; penstock_add_plugin() "
            "hides them"));
  }
  if (!file.unique.empty()) {
    add(findings, Level::kFault,
        str("has ", file.unique.size(), " unique symbols, the first ",
            file.unique.front(),
            ": two plugins share them; compile with -fno-gnu-unique"));
  }
}

Findings check_file(const fs::path& library) {
  Findings findings;
  try {
    const LibraryFile file = read_library(library);
    check_needed(file, findings);
    check_run_path(file, findings);
    check_symbols(file, findings);
  } catch (const Error& error) {
    add(findings, Level::kFault, error.text());
  }
  return findings;
}

const char* word_of(Level level) {
  switch (level) {
    case Level::kOk:
      return "ok";
    case Level::kNote:
      return "note";
    default:
      return "fault";
  }
}

}  // namespace

Findings check_plugin(const fs::path& library, std::chrono::seconds patience) {
  std::error_code failed;
  if (!fs::exists(library, failed)) {
    throw Error(Code::kNotFound,
                str("there is no file '", library.string(), "'"));
  }
  Findings findings = check_file(library);
  const PluginFacts facts = inspect_plugin(library);
  if (!facts.problem.empty()) {
    add(findings, Level::kFault, "cannot be opened: " + facts.problem);
    return findings;
  }
  add(findings, Level::kOk, "was built for this Penstock");
  const fs::path folder = fs::absolute(library).parent_path();
  std::vector<std::string> stages;
  for (Finding& found : in_child(folder, facts.name, "", patience)) {
    if (found.text.starts_with(kStageWord)) {
      stages.push_back(found.text.substr(kStageWord.size()));
    } else {
      findings.push_back(std::move(found));
    }
  }
  for (const std::string& stage : stages) {
    const auto found = in_child(folder, facts.name, stage, patience);
    findings.insert(findings.end(), found.begin(), found.end());
  }
  return findings;
}

bool has_faults(const Findings& findings) {
  return std::any_of(
      findings.begin(), findings.end(),
      [](const Finding& found) { return found.level == Level::kFault; });
}

std::string as_text(const Findings& findings) {
  std::string text;
  std::string about;
  for (const Finding& found : findings) {
    if (found.about != about) text += found.about + "\n";
    about = found.about;
    const std::string word = word_of(found.level);
    text += "  " + word + std::string(7 - word.size(), ' ') + found.text + "\n";
  }
  return text;
}

std::string as_json(const Findings& findings) {
  Json json{{"faults", has_faults(findings)}, {"findings", Json::array()}};
  for (const Finding& found : findings) {
    json["findings"].push_back({{"level", word_of(found.level)},
                                {"about", found.about},
                                {"text", found.text}});
  }
  return json.dump(/*indent=*/2, ' ', /*ensure_ascii=*/false,
                   Json::error_handler_t::replace) +
         "\n";
}

}  // namespace penstock::check
