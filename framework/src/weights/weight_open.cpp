// Opening a WeightFile: a GGUF file or its parts, a safetensors file, a folder
// of them.

#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "penstock/error.h"
#include "weights/byte_reader.h"
#include "weights/gguf.h"
#include "weights/parts.h"
#include "weights/weight_file_impl.h"

namespace penstock {

namespace fs = std::filesystem;
using weights::in_quotes;

namespace {

constexpr std::uint64_t kMaxParts = 1024;

/// A number under `key` of a file that was only parsed.
std::optional<std::uint64_t> number_under(const weights::GgufFile& file,
                                          std::string_view key) {
  std::optional<std::uint64_t> result;
  for (const auto& entry : file.metadata) {
    if (entry.key != key || entry.value.is_array) continue;
    visit_numbers(entry.value, [&](auto number) {
      if (number >= 0) result = static_cast<std::uint64_t>(number);
    });
  }
  return result;
}

/// The keys of a part must say what its name does; parts count from 1.
void check_part(const weights::GgufFile& file, const weights::PartName& name,
                std::uint64_t part, const fs::path& path) {
  const auto number = number_under(file, "split.no").value_or(0) + 1;
  const auto count = number_under(file, "split.count").value_or(0);
  if (number == part && count == name.count) return;
  throw Error(Code::kData,
              str(path.string(), ": its keys say part ", number, " of ", count,
                  ", its name says ", part, " of ", name.count));
}

/// The name of a file that says it is one of several.
weights::PartName split_name(const fs::path& path, std::uint64_t count) {
  const auto name = weights::part_name(path.filename().string());
  if (count > kMaxParts || !name) {
    throw Error(Code::kData, str(path.string(), ": one of ", count,
                                 " parts, expected at "
                                 "most ",
                                 kMaxParts,
                                 " and a name that ends like "
                                 "-00001-of-00003.gguf"));
  }
  return *name;
}

}  // namespace

WeightFile::Impl::Impl(fs::path file_or_folder)
    : path(std::move(file_or_folder)) {
  const fs::path file =
      fs::is_directory(path) ? weights::find_weights(path) : path;
  if (file.filename().string().ends_with(".safetensors.index.json")) {
    read_shards(file);
  } else if (weights::looks_like_safetensors(map(file))) {
    format = "safetensors";
    read_safetensors(file);
  } else {
    read_gguf(file);
  }
  for (std::size_t i = 0; i < metadata.size(); ++i) {
    metadata_by_key.emplace(metadata[i].key, i);
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors_by_name.emplace(tensors[i].name, i).second) {
      throw Error(Code::kData,
                  str(path.string(), ": tensor ", in_quotes(tensors[i].name),
                      " stands in two of its files"));
    }
  }
}

std::span<const std::byte> WeightFile::Impl::map(const fs::path& file) {
  files.push_back(std::make_unique<MappedFile>(file));
  return files.back()->bytes();
}

void WeightFile::Impl::append(std::vector<WeightTensor> more) {
  tensors.insert(tensors.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
}

void WeightFile::Impl::read_gguf(const fs::path& file) {
  auto parsed = weights::parse_gguf(files.back()->bytes(), file.string());
  format = str("GGUF ", parsed.version);
  const auto count = number_under(parsed, "split.count").value_or(0);
  if (count <= 1) {
    metadata = std::move(parsed.metadata);
    append(std::move(parsed.tensors));
    return;
  }
  const auto name = split_name(file, count);
  files.clear();
  for (std::uint64_t part = 1; part <= name.count; ++part) {
    const fs::path next = file.parent_path() / name.of(part);
    auto piece = weights::parse_gguf(map(next), next.string());
    check_part(piece, name, part, next);
    // The first part has the model's keys, the others only their own.
    if (part == 1) metadata = std::move(piece.metadata);
    append(std::move(piece.tensors));
  }
}

void WeightFile::Impl::read_safetensors(const fs::path& file) {
  auto parsed =
      weights::parse_safetensors(files.back()->bytes(), file.string());
  append(std::move(parsed.tensors));
  others.insert(others.end(), parsed.others.begin(), parsed.others.end());
}

void WeightFile::Impl::read_shards(const fs::path& index) {
  const weights::Shards shards = weights::read_index(index);
  format = str("safetensors in ", shards.files.size(), " files");
  for (const std::string& shard : shards.files) {
    if (!fs::exists(index.parent_path() / shard)) continue;
    const std::size_t before = tensors.size();
    const fs::path file = index.parent_path() / shard;
    (void)map(file);
    read_safetensors(file);
    for (std::size_t i = before; i < tensors.size(); ++i) {
      // What the index passes over is taken: whoever reads it may need it.
      const auto said = shards.file_of.find(tensors[i].name);
      if (said == shards.file_of.end() || said->second == shard) continue;
      throw Error(Code::kData,
                  str(file.string(), ": tensor ", in_quotes(tensors[i].name),
                      " should not be here: the index puts it into ",
                      in_quotes(said->second)));
    }
  }
  note_missing(shards, index);
}

void WeightFile::Impl::note_missing(const weights::Shards& shards,
                                    const fs::path& index) {
  std::set<std::string_view> here;
  for (const auto& tensor : tensors) here.insert(tensor.name);
  for (const auto& other : others) here.insert(other.name);
  for (const auto& [tensor, file] : shards.file_of) {
    if (here.contains(tensor)) continue;
    const bool has_file = fs::exists(index.parent_path() / file);
    missing.emplace(
        tensor,
        Error(has_file ? Code::kData : Code::kNotFound,
              str(index.string(), ": tensor ", in_quotes(tensor), " is not in ",
                  in_quotes(file),
                  has_file ? "; download this file again"
                           : ", which is not in the folder; download it too")));
  }
}

}  // namespace penstock
