#include "pipeline_run/inspect/safetensors_file.h"

#include <bit>
#include <nlohmann/json.hpp>
#include <span>

#include "pipeline_run/output/new_file.h"

namespace penstock::run {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the format is little-endian");

/// The header's size is a multiple of it, so that every number is aligned.
constexpr std::size_t kAlignment = 8;

/// The format's word for a dtype; empty for what is not stored as it is.
const char* word(at::ScalarType type, TensorTypes types) {
  switch (type) {
    case at::kBFloat16:
      return types == TensorTypes::kAll ? "BF16" : "";
    case at::kBool:
      return "BOOL";
    case at::kByte:
      return "U8";
    case at::kChar:
      return "I8";
    case at::kShort:
      return "I16";
    case at::kInt:
      return "I32";
    case at::kLong:
      return "I64";
    case at::kHalf:
      return "F16";
    case at::kFloat:
      return "F32";
    case at::kDouble:
      return "F64";
    default:
      return "";
  }
}

at::Tensor stored(const at::Tensor& tensor, TensorTypes types) {
  const bool is_known = *word(tensor.scalar_type(), types) != '\0';
  const at::Tensor kept = is_known ? tensor : tensor.to(at::kFloat);
  return kept.cpu().contiguous();
}

}  // namespace

void write_safetensors(const std::filesystem::path& path,
                       const Tensors& tensors, TensorTypes types) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  Tensors all;
  std::size_t end = 0;
  for (const auto& [name, tensor] : tensors) {
    all.emplace_back(name, stored(tensor, types));
    const at::Tensor& kept = all.back().second;
    const std::size_t begin = end;
    end += kept.nbytes();
    header[name] = {{"dtype", word(kept.scalar_type(), types)},
                    {"shape", kept.sizes().vec()},
                    {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  const auto size = static_cast<std::uint64_t>(text.size());
  NewFile file(path);
  file.write(std::as_bytes(std::span(&size, 1)));
  file.write(text);
  for (const auto& [name, tensor] : all) {
    file.write(std::span(static_cast<const std::byte*>(tensor.const_data_ptr()),
                         tensor.nbytes()));
  }
  file.close();
}

}  // namespace penstock::run
