// What a WeightFile holds, whatever the format it was read from.

#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/error.h"
#include "penstock/mapped_file.h"
#include "penstock/weights.h"
#include "weights/metadata.h"
#include "weights/nearest.h"
#include "weights/parts.h"
#include "weights/safetensors.h"

namespace penstock {

struct WeightFile::Impl {
  /// Reads the file or folder: see weight_open.cpp.
  explicit Impl(std::filesystem::path file_or_folder);
  std::span<const std::byte> map(const std::filesystem::path& file);
  void append(std::vector<WeightTensor> more);
  /// Of the file mapped last, which is at `file`.
  void read_gguf(const std::filesystem::path& file);
  void read_safetensors(const std::filesystem::path& file);
  void read_shards(const std::filesystem::path& index);
  void note_missing(const weights::Shards& shards,
                    const std::filesystem::path& index);

  /// The value under `key`, or null.
  [[nodiscard]] const weights::MetadataValue* value(std::string_view key) const;
  /// The value under `key`; `expected` is for the error when there is none.
  [[nodiscard]] const weights::MetadataValue& required(
      std::string_view key, std::string_view expected) const;
  /// Throws Error(kData) about `key`.
  [[noreturn]] void fail(std::string_view key,
                         const std::string& problem) const;

  std::filesystem::path path;
  std::vector<std::unique_ptr<MappedFile>> files;
  std::string format;
  std::vector<weights::MetadataEntry> metadata;
  std::vector<WeightTensor> tensors;
  std::vector<weights::OtherTensor> others;
  /// What an index names and no file holds, and why. Not at fault until
  /// somebody asks for it: a text model needs no vision tower.
  std::map<std::string, Error, std::less<>> missing;
  weights::Index metadata_by_key;  // into metadata
  weights::Index tensors_by_name;  // into tensors
};

}  // namespace penstock
