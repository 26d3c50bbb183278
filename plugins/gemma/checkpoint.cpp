#include "gemma/checkpoint.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
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

/// Where Hugging Face files keep an output projection.
constexpr std::array<std::string_view, 3> kOutputs = {
    "lm_head.weight", "language_model.lm_head.weight", "model.lm_head.weight"};

/// Whether a tensor is of a part beside the text model, which no text needs:
/// the vision tower and its projector, as Hugging Face and as Ollama's GGUF
/// files name them. `inv_freq` is a table that old checkpoints stored and that
/// follows from the config. Not among them: `rope_freqs`, biases, scales and
/// further heads, which change what is computed.
bool is_beside_text(std::string_view name) {
  if (name.starts_with("v.") || name.starts_with("mm.")) return true;
  if (name.ends_with("rotary_emb.inv_freq")) return true;
  if (name.starts_with("model.")) name.remove_prefix(6);
  return name.starts_with("vision_tower.") ||
         name.starts_with("multi_modal_projector.");
}

bool is_same(const WeightTensor& a, const WeightTensor& b) {
  return a.type == b.type && a.shape == b.shape &&
         std::memcmp(a.data.data(), b.data.data(), a.data.size()) == 0;
}

std::string find_prefix(const WeightFile& file) {
  for (const std::string_view prefix : kPrefixes) {
    if (file.is_named(str(prefix, "embed_tokens.weight"))) {
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
      config_(is_gguf_ ? read_config(file_) : read_config(model_folder(path))),
      output_(find_output()) {
  config_.is_tied = output_ == stored_name("token_embd");
  check_all_read();
}

/// Fine-tunes have an output projection of their own. Where the config says
/// there is none and the file has one all the same, its numbers decide, as in
/// transformers: many a file repeats the embedding.
std::string Checkpoint::find_output() const {
  const std::string embedding = stored_name("token_embd");
  if (is_gguf_) return config_.is_tied ? embedding : "output.weight";
  for (const std::string_view name : kOutputs) {
    if (!file_.is_named(name)) continue;
    const auto own = file_.find(name);
    const bool is_own =
        !config_.is_tied || (own && !is_same(*own, file_.at(embedding)));
    return is_own ? std::string(name) : embedding;
  }
  if (config_.is_tied) return embedding;
  throw Error(Code::kData,
              str(file_.path().string(),
                  ": config.json says tie_word_embeddings: false, but there is "
                  "no tensor 'lm_head.weight'; download all files of the "
                  "model, or write true if the embedding is its output"));
}

void Checkpoint::check_all_read() const {
  std::set<std::string, std::less<>> read{stored_name("token_embd"),
                                          stored_name("output_norm"), output_};
  for (std::int64_t i = 0; i < config_.layers; ++i) {
    for (const auto& names : kNames) {
      read.insert(stored_name(str("blk.", i, ".", names.first)));
    }
  }
  constexpr std::int64_t kShown = 3;
  std::int64_t count = 0;
  std::string shown;
  for (const std::string_view name : file_.names()) {
    const bool is_copy =  // of the embedding, see find_output()
        !is_gguf_ &&
        std::find(kOutputs.begin(), kOutputs.end(), name) != kOutputs.end();
    if (read.contains(name) || is_copy || is_beside_text(name)) continue;
    if (++count <= kShown) shown += str(count > 1 ? ", '" : "'", name, "'");
  }
  if (count == 0) return;
  // A tensor by another name: that one is missing says more.
  for (const std::string& name : read) {
    if (!file_.is_named(name)) (void)file_.at(name);
  }
  if (count > kShown) shown += str(" and ", count - kShown, " more");
  throw Error(
      Code::kData,
      str(file_.path().string(), ": Gemma 3 with ", config_.layers,
          " layers has no tensor ", shown,
          ", and without what the file says there the model would give other "
          "answers; merge it into the weights that it changes, or take a model "
          "without it"));
}

std::string Checkpoint::stored_name(const std::string& name) const {
  if (name == "output") return output_;
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
