#include "weights/magic.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "penstock/error.h"
#include "weights/byte_reader.h"

namespace penstock::weights {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "GGUF";
constexpr std::size_t kLooked = 512;

struct Kind {
  std::string_view begins;
  std::string_view text;
};

constexpr std::array kKinds = {
    Kind{"FUGG", "a big-endian GGUF file"},
    Kind{"lmgg", "a GGML file from before GGUF"},
    Kind{"fmgg", "a GGML file from before GGUF"},
    Kind{"tjgg", "a GGML file from before GGUF"},
    Kind{"PK\x03\x04", "a zip archive, perhaps a PyTorch checkpoint"},
    Kind{"\x80\x02", "a Python pickle, perhaps an old PyTorch checkpoint"},
    Kind{"\x1f\x8b", "a gzip archive: unpack it first"},
    Kind{"\x28\xb5\x2f\xfd", "a zstd archive: unpack it first"},
    Kind{"\x89HDF", "an HDF5 file"},
    Kind{"\x93NUMPY", "a NumPy array"},
    Kind{"\x7f"
         "ELF",
         "a program or library"},
    Kind{"version https://git-lfs", "a Git LFS pointer: run `git lfs pull`"},
    Kind{"{", "JSON"},
};

bool begins_with_html(std::string_view start) {
  const auto first = start.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  std::string tag(start.substr(first, 9));
  std::transform(tag.begin(), tag.end(), tag.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return tag == "<!doctype" || tag.starts_with("<html");
}

// A safetensors file begins with the length of its header in 8 bytes, then
// the header, which is a JSON object.
bool begins_with_safetensors(std::string_view start) {
  return start.size() > 9 && start[8] == '{' &&
         start.substr(5, 3) == "\0\0\0"sv;
}

std::string looks_like(std::string_view start) {
  if (begins_with_html(start)) {
    return "a web page: the download was answered by a login or error page";
  }
  if (begins_with_safetensors(start)) return "a safetensors file";
  for (const auto& kind : kKinds) {
    if (start.starts_with(kind.begins)) return std::string(kind.text);
  }
  if (start.find_first_not_of('\0') == std::string_view::npos) {
    return "zeros: an unfinished download";
  }
  return "";
}

}  // namespace

void check_magic(std::span<const std::byte> bytes, std::string_view file) {
  constexpr auto kAdvice = "; fetch the model: tools/models fetch NAME";
  if (bytes.empty()) {
    throw Error(Code::kData,
                str(file, ": the file is empty, expected GGUF", kAdvice));
  }
  const auto looked = bytes.first(std::min(bytes.size(), kLooked));
  const std::string_view start(reinterpret_cast<const char*>(looked.data()),
                               looked.size());
  if (start.starts_with(kMagic)) return;
  if (kMagic.starts_with(start)) {
    throw Error(Code::kData, str(file, ": the file ends too early: it has ",
                                 bytes.size(), " bytes", kAdvice));
  }
  const auto kind = looks_like(start);
  throw Error(Code::kData,
              str(file, ": not a GGUF file; it ",
                  kind.empty() ? "begins with " + in_quotes(start.substr(0, 8))
                               : "looks like " + kind,
                  ", at byte 0, expected 'GGUF'", kAdvice));
}

}  // namespace penstock::weights
