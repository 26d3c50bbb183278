// The files that PyTorch writes, told apart: programs of torch.export, native
// code of AOTInductor, TorchScript, and weights without a program.
#include <algorithm>

#include "heads/formats.h"
#include "heads/pt2.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::heads {
namespace {

constexpr std::string_view kExtra = "extra/";
constexpr std::size_t kLongestExtra = std::size_t{1} << 20U;

[[noreturn]] void refuse(const Source& source, const std::string& what) {
  throw Error(Code::kData, str(source.name, ": ", what));
}

/// What the author put beside the program: torch.export.save(...,
/// extra_files={"labels": "cat, dog"}), torch.jit.save(..., _extra_files=...).
void read_extras(const Zip& zip, ModelHead& head) {
  for (const ZipMember& member : zip.members()) {
    const bool is_text = member.name.starts_with(kExtra) && !member.is_packed &&
                         member.bytes.size() <= kLongestExtra &&
                         member.bytes.find('\0') == std::string_view::npos;
    if (!is_text) continue;
    std::string key = member.name.substr(kExtra.size());
    if (key.ends_with(".txt")) key.resize(key.size() - 4);
    head.metadata.emplace_back(key, member.bytes);
  }
}

bool is_library(const ZipMember& member) {
  return member.name.starts_with(kNativeFolder) && member.name.ends_with(".so");
}

/// What AOTInductor says of its library: the device and the CPU it is for.
void read_native_metadata(const Source& source, const Zip& zip,
                          ModelHead& head) {
  for (const ZipMember& member : zip.members()) {
    if (!member.name.starts_with(kNativeFolder) || member.is_packed ||
        !member.name.ends_with("_metadata.json")) {
      continue;
    }
    const std::string file = str(source.name, ": ", member.name);
    const JsonValue json = parse_json(member.bytes, file);
    for (const auto& [key, value] : JsonView(json, file).members()) {
      // Each source of the library has one that says the same.
      const auto is_it = [&, &name = key](const auto& known) {
        return known.first == name;
      };
      if (!value.is_text() ||
          std::any_of(head.metadata.begin(), head.metadata.end(), is_it)) {
        continue;
      }
      head.metadata.emplace_back(key, value.text());
    }
  }
}

void read_package(const Source& source, const Zip& zip, ModelHead& head) {
  const bool is_native = zip.has_folder(kNativeFolder);
  head.format = is_native ? "aotinductor" : "torch.export";
  if (zip.has(kProgram)) {
    read_program(source, zip, head);
  } else if (!is_native) {
    refuse(source,
           "it is a package of PyTorch that holds no program called 'model'; "
           "torch.export.save(program, FILE) makes one");
  }
  if (!is_native) return;
  const auto& members = zip.members();
  if (std::none_of(members.begin(), members.end(), is_library)) {
    refuse(source,
           "it holds C++ of AOTInductor without the library, and libtorch "
           "would compile it with a command of the file's; make the package "
           "without package_cpp_only");
  }
  read_native_metadata(source, zip, head);
}

}  // namespace

void read_torch(const Source& source, ModelHead& head) {
  const Zip zip(source);
  if (zip.has("archive_format")) {
    read_package(source, zip, head);
  } else if (zip.has("constants.pkl") && zip.has_folder("code/")) {
    head.format = "torchscript";
  } else if (zip.has("data.pkl")) {
    refuse(source,
           "made by torch.save, which holds weights but no program; load the "
           "model in Python and write it with "
           "torch.export.save(torch.export.export(model.eval(), (example,)), "
           "\"model.pt2\")");
  } else if (zip.has("serialized_exported_program.json")) {
    refuse(source,
           "an export of PyTorch before 2.8; export it again with a later one");
  } else {
    refuse(source,
           "a zip archive, but none that PyTorch makes for a model; "
           "torch.export.save(program, FILE) makes one");
  }
  read_extras(zip, head);
}

}  // namespace penstock::heads
