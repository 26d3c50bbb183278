// One request's folder of a dump: tensors as safetensors files, and dump.json,
// which says what they are.
//
//   {"id": "0", "pipeline": {...}, "request": {...},
//    "made": [{"stage": "preprocess", "tokens": [2, 10979], ...},
//             {"stage": "forward", "file": "forward.0000.safetensors", ...}],
//    "report": {...}}
//
// An entry of `made` is a line, written when its stage has run.
#pragma once

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "penstock/stage_spec.h"
#include "penstock/value.h"
#include "pipeline_run/output/new_file.h"

namespace penstock::run {

/// `id` as the name of a folder: letters, digits and -_. stay, the rest becomes
/// _, and no name is hidden or longer than 100 bytes.
[[nodiscard]] std::string folder_name(const std::string& id);

/// Not for several threads at once. Every call throws Error(kRetry) where the
/// disk is full.
class DumpFolder {
 public:
  /// Makes the folder; it must not be there. `head`: what stands before `made`.
  DumpFolder(std::filesystem::path path, const nlohmann::ordered_json& head);

  /// Adds what `stage` made. Its tensors go to a file of their own, which is
  /// numbered by how often the stage has had some.
  void add(StageKind stage, const nlohmann::ordered_json& entry,
           const Tensors& tensors);
  /// The last call.
  void close(const nlohmann::ordered_json& report);

 private:
  std::filesystem::path path_;
  NewFile json_;
  bool is_first_ = true;
  std::array<int, static_cast<std::size_t>(StageKind::kPostprocess) + 1>
      files_{};  ///< by stage
};

}  // namespace penstock::run
