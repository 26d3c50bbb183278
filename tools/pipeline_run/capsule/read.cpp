#include "pipeline_run/capsule/read.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "pipeline_run/capsule/kept_json.h"
#include "pipeline_run/capsule/kept_values.h"
#include "pipeline_run/inspect/safetensors_file.h"

namespace penstock::run {
namespace {

namespace fs = std::filesystem;

/// What capsule.json may weigh: it has no tensors.
constexpr std::uintmax_t kMostJson = std::uintmax_t{1} << 30U;

std::string text_of_file(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) {
    throw Error(Code::kNotFound,
                str("--replay: '", path.string(), "': ", error.message(),
                    "; expected a folder that --capsule made"));
  }
  if (size > kMostJson) {
    throw Error(Code::kData, str("'", path.string(), "' has ", size,
                                 " bytes; at most ", kMostJson, " are read"));
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw Error(Code::kRetry, "cannot read '" + path.string() + "'");
  return std::move(text).str();
}

/// The call as it was kept; a stage that was not opened was given nothing.
KeptCall call_of(const fs::path& folder, const KeptJson& json) {
  KeptCall call;
  if (json.contains("call")) {
    const fs::path tensors = folder / "tensors.safetensors";
    call = kept_call(json["call"], read_safetensors(tensors), folder);
  } else {
    call.is_opening = true;
  }
  call.index = static_cast<std::size_t>(
      integer_from(json.at("stage"), "index", 0, 1 << 10));
  return call;
}

KeptCapsule capsule_of(const fs::path& folder, const KeptJson& json) {
  KeptCapsule kept;
  kept.call = call_of(folder, json);
  kept.use = json.at("stage").at("use").get<std::string>();
  if (json.contains("versions")) {
    kept.version = json["versions"].value("penstock", "");
  }
  if (json.contains("error")) kept.error = text_from(json["error"]);
  return kept;
}

}  // namespace

KeptCapsule read_capsule(const fs::path& folder) {
  const fs::path path = folder / "capsule.json";
  const auto json = KeptJson::parse(text_of_file(path), nullptr,
                                    /*allow_exceptions=*/false);
  try {
    if (json.is_object() && json.value("format", "") == kCapsuleFormat) {
      return capsule_of(folder, json);
    }
  } catch (const KeptJson::exception& error) {
    throw Error(Code::kData, str("'", path.string(), "': ", error.what()));
  } catch (const Error& error) {
    throw Error(error.code(), str("'", path.string(), "': ", error.text()));
  }
  throw Error(Code::kData, str("'", path.string(), "' is no '", kCapsuleFormat,
                               "': it is damaged or of another version"));
}

}  // namespace penstock::run
