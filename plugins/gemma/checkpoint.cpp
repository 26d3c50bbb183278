#include "gemma/checkpoint.h"

#include <array>
#include <string_view>
#include <utility>

#include "penstock/error.h"

namespace penstock::gemma {
namespace {

namespace fs = std::filesystem;

/// Text models, multimodal ones by transformers from 4.52 on and before, and
/// what some converters leave.
constexpr std::array<std::string_view, 5> kPrefixes = {
    "model.", "model.language_model.", "language_model.model.",
    "language_model.", ""};

constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kNames =
    {{{"attn_norm", "input_layernorm"},
      {"attn_q", "self_attn.q_proj"},
      {"attn_k", "self_attn.k_proj"},
      {"attn_v", "self_attn.v_proj"},
      {"attn_q_norm", "self_attn.q_norm"},
      {"attn_k_norm", "self_attn.k_norm"},
      {"attn_output", "self_attn.o_proj"},
      {"post_attention_norm", "post_attention_layernorm"},
      {"ffn_norm", "pre_feedforward_layernorm"},
      {"ffn_gate", "mlp.gate_proj"},
      {"ffn_up", "mlp.up_proj"},
      {"ffn_down", "mlp.down_proj"},
      {"post_ffw_norm", "post_feedforward_layernorm"}}};

std::string find_prefix(const WeightFile& file) {
  for (const std::string_view prefix : kPrefixes) {
    if (file.find(str(prefix, "embed_tokens.weight"))) {
      return std::string(prefix);
    }
  }
  throw Error(Code::kData,
              str(file.path().string(),
                  ": no tensor 'model.embed_tokens.weight': these are not the "
                  "weights of a Gemma 3 model (an adapter must be merged "
                  "first)"));
}

}  // namespace

bool is_gguf(const WeightFile& file) {
  return file.format().starts_with("GGUF");
}

fs::path model_folder(const fs::path& path) {
  if (fs::is_directory(path)) return path;
  return path.parent_path();
}

Checkpoint::Checkpoint(const fs::path& path)
    : file_(WeightFile::open(path)),
      is_gguf_(is_gguf(file_)),
      prefix_(is_gguf_ ? "" : find_prefix(file_)),
      config_(is_gguf_ ? read_config(file_) : read_config(model_folder(path))) {
}

std::string Checkpoint::stored_name(const std::string& name) const {
  if (is_gguf_) return name + ".weight";
  if (name == "token_embd") return prefix_ + "embed_tokens.weight";
  if (name == "output_norm") return prefix_ + "norm.weight";
  // "blk.N.part"
  const auto dot = name.find('.', 4);
  const auto part = std::string_view(name).substr(dot + 1);
  for (const auto& [gguf, other] : kNames) {
    if (gguf != part) continue;
    return str(prefix_, "layers.", name.substr(4, dot - 4), ".", other,
               ".weight");
  }
  throw Error(Code::kInternal, str("no model has a part '", name, "'"));
}

const WeightTensor& Checkpoint::at(
    const std::string& name, const std::vector<std::int64_t>& shape) const {
  return file_.at(stored_name(name), shape);
}

std::vector<float> Checkpoint::norm(const std::string& name,
                                    std::int64_t size) const {
  std::vector<float> factors(static_cast<std::size_t>(size));
  dequantize(at(name, {size}), 0, 1, factors);
  if (!is_gguf_) {
    for (float& factor : factors) factor += 1;
  }
  return factors;
}

}  // namespace penstock::gemma
