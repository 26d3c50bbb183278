#include "gemma/config.h"

#include <cmath>
#include <string>

#include "penstock/error.h"

namespace penstock::gemma {
namespace {

std::string key(const char* name) { return std::string("gemma3.") + name; }

/// A size that must be in [1, limit].
std::int64_t size(const WeightFile& file, const char* name,
                  std::int64_t limit) {
  const std::int64_t value = file.integer(key(name));
  if (value < 1 || value > limit) {
    throw Error(Code::kData,
                str(file.path().filename().string(), ": ", key(name), " is ",
                    value, ", expected 1 to ", limit));
  }
  return value;
}

double positive(const WeightFile& file, const char* name, double fallback) {
  const double value = file.find_real(key(name)).value_or(fallback);
  if (value > 0) return value;
  throw Error(Code::kData, str(file.path().filename().string(), ": ", key(name),
                               " is ", value, ", expected > 0"));
}

void read_rope(const WeightFile& file, Config& config) {
  config.rope_base = positive(file, "rope.freq_base", 1e6);
  // Most files leave the sliding layers' base out: it never varied.
  config.rope_base_local = positive(file, "rope.freq_base_swa", 1e4);
  // A factor without a type is linear to llama.cpp too; the second key is what
  // files of 2023 call it.
  const auto kind = file.find_text(key("rope.scaling.type"));
  if (kind && *kind == "none") return;
  if (kind && *kind != "linear") {
    throw Error(Code::kData, str("rope.scaling.type '", *kind,
                                 "' is not known; expected linear"));
  }
  config.rope_scale = positive(file, "rope.scaling.factor",
                               positive(file, "rope.scale_linear", 1));
}

/// Newer files say which layers slide: one number, every n-th does not, or a
/// list of bools.
void read_layers(const WeightFile& file, Config& config) {
  constexpr const char* kName = "attention.sliding_window_pattern";
  if (!file.has(key(kName))) return;
  if (!file.is_array(key(kName))) {
    config.pattern = size(file, kName, 1024);
    return;
  }
  config.sliding = file.booleans(key(kName));
  if (std::ssize(config.sliding) != config.layers) {
    throw Error(Code::kData,
                str(file.path().filename().string(), ": ", key(kName), " has ",
                    config.sliding.size(), " items, the model ", config.layers,
                    " layers"));
  }
}

double attention_scale(const Config& config) {
  // The file has no key for it. All sizes use head_dim but the 62-layer one,
  // which was trained with hidden / heads.
  const bool is_27b = config.layers == 62;
  const std::int64_t width =
      is_27b ? config.hidden / config.heads : config.head_dim;
  return 1.0 / std::sqrt(static_cast<double>(width));
}

}  // namespace

void check_config(const Config& config) {
  if (config.heads % config.kv_heads == 0 && config.head_dim % 2 == 0) return;
  throw Error(Code::kData,
              str("the model has ", config.heads, " heads, ", config.kv_heads,
                  " kv heads of ", config.head_dim, ": they do not fit"));
}

Config read_config(const WeightFile& file) {
  const auto architecture = file.text("general.architecture");
  if (architecture != "gemma3") {
    throw Error(Code::kData,
                str(file.path().filename().string(), " holds a '", architecture,
                    "' model; gemma.forward runs 'gemma3'"));
  }
  Config config;
  config.hidden = size(file, "embedding_length", 1 << 16);
  config.layers = size(file, "block_count", 1024);
  config.heads = size(file, "attention.head_count", 1024);
  config.kv_heads = size(file, "attention.head_count_kv", 1024);
  config.head_dim = size(file, "attention.key_length", 4096);
  config.ffn = size(file, "feed_forward_length", 1 << 20);
  config.context = size(file, "context_length", 1 << 24);
  config.window = size(file, "attention.sliding_window", 1 << 24);
  read_layers(file, config);
  config.norm_epsilon =
      positive(file, "attention.layer_norm_rms_epsilon", 1e-6);
  check_config(config);
  if (const auto cap = file.find_real(key("final_logit_softcapping"));
      cap && *cap != 0) {
    throw Error(Code::kData,
                "the model caps its logits, which Gemma 3 does "
                "not; this version cannot run it");
  }
  read_rope(file, config);
  config.attention_scale = attention_scale(config);
  config.vocab = file.at("token_embd.weight").rows();
  config.is_tied = !file.is_named("output.weight");
  for (const char* name : {"eos", "eot"}) {
    const auto id =
        file.find_integer(str("tokenizer.ggml.", name, "_token_id"));
    if (id) config.eos_ids.push_back(*id);
  }
  return config;
}

}  // namespace penstock::gemma
