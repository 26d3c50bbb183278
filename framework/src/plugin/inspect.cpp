#include "plugin/inspect.h"

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <system_error>

#include "penstock/abi.h"
#include "penstock/plugin_host.h"
#include "plugin/elf_note.h"
#include "plugin/rights.h"
#include "plugin/search.h"

namespace penstock {

namespace fs = std::filesystem;

namespace plugin {

namespace {

constexpr std::uintmax_t kMaxLibrary = 256ULL << 20U;

std::vector<std::byte> read_library(const fs::path& path) {
  // Opening a pipe would wait for its other end.
  if (!fs::is_regular_file(path)) {
    throw Error(Code::kInternal, fs::is_directory(path)
                                     ? "it is a folder, not a file"
                                     : "it is no regular file");
  }
  const std::uintmax_t size = fs::file_size(path);
  if (size > kMaxLibrary) {
    throw Error(
        Code::kInternal,
        str("it has ", size, " bytes; a plugin has at most ", kMaxLibrary));
  }
  std::vector<std::byte> bytes(size);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bytes.data()),
            static_cast<std::streamsize>(size));
  if (!file) throw Error(Code::kInternal, "it cannot be read");
  return bytes;
}

std::string name_problem(const std::string& from_file,
                         const std::string& from_note) {
  if (!is_valid_name(from_file)) {
    return str("its file is not called libpenstock_<name>.so with a name of ",
               kNameRule);
  }
  if (from_file != from_note) {
    return str("it is the plugin '", from_note, "' in a file named for '",
               from_file, "': rename it to libpenstock_", from_note, ".so");
  }
  return {};
}

std::string note_problem(const PluginFacts& facts, const LibraryNote& note) {
  if (note.text.empty()) {
    return str(
        "it has no penstock note, so it is no Penstock plugin, or one "
        "without PENSTOCK_PLUGIN(...); ",
        build_advice());
  }
  std::string problem = abi_problem(note.text);
  if (problem.empty()) {
    problem = name_problem(facts.name, abi_value(note.text, "plugin"));
  }
  if (problem.empty() && note.has_entry == false) {
    problem =
        "it does not export 'penstock_plugin': write "
        "PENSTOCK_PLUGIN(...) in one of its files";
  }
  return problem;
}

}  // namespace

std::string build_advice() {
  return str("build it against this SDK: penstock ", abi_value(kAbiText, "sdk"),
             ", headers ", abi_value(kAbiText, "headers"), ", libtorch ",
             abi_value(kAbiText, "libtorch"));
}

std::string abi_problem(std::string_view library_text) {
  std::string differences;
  for (const AbiFact& fact : compare_abi(library_text)) {
    if (!fact.differs()) continue;
    const auto shown = [](const std::string& value) {
      return value.empty() ? std::string("unknown") : value;
    };
    differences += str(differences.empty() ? "" : ", ", fact.key, "=",
                       shown(fact.library), " (here ", shown(fact.host), ")");
  }
  if (differences.empty()) return {};
  return str("it was built for another SDK: ", differences, "; ",
             build_advice());
}

}  // namespace plugin

PluginFacts inspect_plugin(const fs::path& path) {
  PluginFacts facts;
  facts.name = plugin::plugin_name(path);
  std::error_code missing;
  facts.path = fs::canonical(path, missing);
  if (missing) {
    throw Error(Code::kNotFound, str("no library ", path.string(), ": ",
                                     missing.message(), "; check the path"));
  }
  try {
    const auto note =
        plugin::read_library_note(plugin::read_library(facts.path));
    facts.abi = note.text;
    facts.problem = plugin::note_problem(facts, note);
    if (facts.problem.empty()) {
      facts.problem = plugin::rights_problem(path);
    }
  } catch (const Error& error) {
    facts.problem = error.text();
  } catch (const fs::filesystem_error& error) {
    facts.problem = "it cannot be read: " + error.code().message();
  }
  return facts;
}

}  // namespace penstock
