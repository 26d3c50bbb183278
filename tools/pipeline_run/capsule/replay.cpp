#include "pipeline_run/capsule/replay.h"

#include <ATen/ops/isfinite.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "common/harmless.h"
#include "penstock/parallel.h"
#include "penstock/pipeline_file.h"
#include "penstock/sdk_version.h"
#include "pipeline_run/capsule/capsule.h"
#include "pipeline_run/capsule/kept_json.h"
#include "pipeline_run/capsule/kept_values.h"
#include "pipeline_run/exit_code.h"
#include "pipeline_run/inspect/safetensors_file.h"
#include "pipeline_run/inspect/show.h"
#include "pipeline_run/inspect/stage_json.h"
#include "pipeline_run/output/output.h"

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

KeptJson capsule_json(const fs::path& path) {
  auto json = KeptJson::parse(text_of_file(path), nullptr,
                              /*allow_exceptions=*/false);
  if (json.is_object() && json.value("format", "") == kCapsuleFormat) {
    return json;
  }
  throw Error(Code::kData, str("'", path.string(), "' is no '", kCapsuleFormat,
                               "': it is damaged or of another version"));
}

/// Calls `read` on what was parsed; whatever is wrong in it is told with the
/// file's name.
template <class Read>
auto reading(const fs::path& path, const Read& read) {
  try {
    return read();
  } catch (const KeptJson::exception& error) {
    throw Error(Code::kData, str("'", path.string(), "': ", error.what()));
  } catch (const Error& error) {
    throw Error(error.code(), str("'", path.string(), "': ", error.text()));
  }
}

void tell_versions(const KeptJson& kept) {
  const std::string theirs = kept.value("penstock", "");
  if (theirs == PENSTOCK_SDK_VERSION) return;
  std::cerr << "pipeline-run: the capsule was made by Penstock "
            << harmless(theirs) << ", this is " PENSTOCK_SDK_VERSION "\n";
}

std::string line_of_tensor(const std::string& name, const at::Tensor& tensor) {
  std::ostringstream out;
  out << "  " << harmless(name) << ": " << dtype_text(tensor.scalar_type())
      << tensor.sizes();
  if (!tensor.is_floating_point() || tensor.numel() == 0) return out.str();
  const at::Tensor values = tensor.to(at::kFloat);
  const auto wrong = values.numel() - at::isfinite(values).sum().item<long>();
  out << ", " << values.min().item<float>() << " .. "
      << values.max().item<float>();
  if (wrong > 0) out << ", " << wrong << " not finite";
  return out.str();
}

void print(std::ostream& to, const std::string& title, const Tensors& tensors) {
  if (tensors.empty()) return;
  to << title << "\n";
  for (const auto& [name, tensor] : tensors) {
    if (tensor.defined()) to << line_of_tensor(name, tensor) << "\n";
  }
}

/// What the call made, for a person.
void print(std::ostream& to, const Replayed& made) {
  for (const Item& item : made.items) {
    to << "item: " << item.tokens.size() << " tokens, notes "
       << line_of(notes_json(item.notes)) << "\n";
    print(to, "  inputs", item.inputs);
  }
  print(to, "inputs", made.inputs);
  print(to, "outputs", made.result.out);
  print(to, "scores", named_scores(made.result.scores));
  for (const Next& next : made.nexts) {
    to << "sequence " << next.slice << ": tokens [" << line_of(next.tokens)
       << "], finish " << to_string(next.finish) << "\n";
    for (const Decoded& each : next.emit) {
      print(to, "  emits", each.tensors);
    }
  }
  for (const Value& value : made.values) {
    to << "emits " << harmless(line_of(value_json(value))) << "\n";
  }
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

}  // namespace

int replay_capsule(const Options& options, PluginHost& plugins) {
  const fs::path folder = options.replay;
  const fs::path json_path = folder / "capsule.json";
  const KeptJson json = capsule_json(json_path);
  auto overrides = overrides_from_environment();
  overrides.insert(overrides.end(), options.overrides.begin(),
                   options.overrides.end());
  const PipelineFile file =
      load_pipeline_file(folder / "pipeline.yaml", plugins, overrides);
  set_threads(static_cast<int>(std::get<std::int64_t>(file.threads.value)));
  KeptCall call = reading(json_path, [&] { return call_of(folder, json); });
  const auto stages = file.stages();
  const bool is_same =
      call.index < stages.size() && reading(json_path, [&] {
        return json.at("stage").at("use") == stages[call.index]->spec->name;
      });
  if (!is_same) {
    throw Error(Code::kData,
                str("'", json_path.string(),
                    "': its stage is not at that place of pipeline.yaml"));
  }
  reading(json_path,
          [&] { tell_versions(json.value("versions", KeptJson::object())); });
  const Replayed made = replay(file, call);
  std::ostringstream to;
  to << stages[call.index]->spec->name
     << (call.is_opening ? " was opened\n" : " returned\n");
  print(to, made);
  const std::string error = reading(json_path, [&] {
    return json.contains("error") ? text_from(json["error"]) : "";
  });
  if (!error.empty()) {
    to << "it did not fail as it did then: "
       << harmless(error.substr(0, error.find('\n'))) << "\n";
  }
  Output output;
  output.write(to.str());
  return exit_code(output, 0);
}

}  // namespace penstock::run
