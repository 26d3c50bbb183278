// config.json and generation_config.json of a Hugging Face folder. Keys that a
// file leaves out have the defaults of transformers' Gemma3TextConfig: the
// multimodal checkpoints rely on them.
#include <cmath>
#include <optional>
#include <string>

#include "gemma/config.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::gemma {
namespace {

namespace fs = std::filesystem;

std::int64_t size(const JsonView& view, const char* key, std::int64_t fallback,
                  std::int64_t limit) {
  const auto found = view.find(key);
  return found ? found->integer(1, limit) : fallback;
}

double positive(const JsonView& view, const char* key, double fallback) {
  const auto found = view.find(key);
  if (!found) return fallback;
  if (const double value = found->real(); value > 0) return value;
  found->fail(str("is ", found->real(), ", expected > 0"));
}

/// The part that describes the text model.
JsonView text_part(const JsonView& view) {
  const std::string type = view.at("model_type").text();
  if (type == "gemma3") return view.at("text_config");
  if (type == "gemma3_text") return view;
  view.at("model_type")
      .fail(str("is '", type,
                "': another architecture; gemma.forward runs 'gemma3_text' and "
                "the text part of 'gemma3'"));
}

/// Switches that change what the model computes, to what it does not.
void refuse_variants(const JsonView& view) {
  for (const char* key :
       {"attn_logit_softcapping", "final_logit_softcapping"}) {
    if (const auto cap = view.find(key); cap && cap->real() != 0) {
      cap->fail(str("is ", cap->real(),
                    ": the model caps its scores, which Gemma 3 does not; this "
                    "version cannot run it"));
    }
  }
  for (const char* key : {"attention_bias", "use_bidirectional_attention"}) {
    if (const auto found = view.find(key); found && found->boolean()) {
      found->fail("is true, which this version cannot run");
    }
  }
  for (const char* key : {"hidden_activation", "hidden_act"}) {
    const auto found = view.find(key);
    if (found && found->text() != "gelu_pytorch_tanh") {
      found->fail(
          str("is '", found->text(), "', expected 'gelu_pytorch_tanh'"));
    }
  }
}

/// `rope_type` was `type` in older files.
std::string rope_type(const JsonView& view) {
  for (const char* key : {"rope_type", "type"}) {
    if (const auto found = view.find(key)) return found->text();
  }
  return "default";
}

/// What positions are divided by.
double rope_scale(const JsonView& view) {
  if (!view.find("rope_type") && !view.find("type") &&
      positive(view, "factor", 1) != 1) {
    view.fail(
        "has a factor, but no rope_type; write \"rope_type\": \"linear\" "
        "beside it, or take the factor out");
  }
  const std::string type = rope_type(view);
  if (type == "default") return 1;
  if (type == "linear") return positive(view, "factor", 1);
  view.fail(str("has rope_type '", type, "', expected default or linear"));
}

void read_rope(const JsonView& view, Config& config) {
  config.rope_base = positive(view, "rope_theta", 1e6);
  config.rope_base_local = positive(view, "rope_local_base_freq", 1e4);
  if (const auto scaling = view.find("rope_scaling")) {
    config.rope_scale = rope_scale(*scaling);
  }
  const auto both = view.find("rope_parameters");
  if (!both) return;
  if (const auto full = both->find("full_attention")) {
    config.rope_base = positive(*full, "rope_theta", config.rope_base);
    config.rope_scale = rope_scale(*full);
  }
  if (const auto local = both->find("sliding_attention")) {
    config.rope_base_local =
        positive(*local, "rope_theta", config.rope_base_local);
    if (rope_scale(*local) != 1) {
      local->fail(
          "scales the sliding layers' positions, which no Gemma 3 does");
    }
  }
}

void read_layers(const JsonView& view, Config& config) {
  for (const char* key :
       {"_sliding_window_pattern", "sliding_window_pattern"}) {
    config.pattern = size(view, key, config.pattern, 1024);
  }
  const auto types = view.find("layer_types");
  if (!types) return;
  for (const JsonView& type : types->items()) {
    const bool is_sliding = type.text() == "sliding_attention";
    if (!is_sliding && type.text() != "full_attention") {
      type.fail(str("is '", type.text(),
                    "', expected sliding_attention or full_attention"));
    }
    config.sliding.push_back(is_sliding);
  }
  if (std::ssize(config.sliding) != config.layers) {
    types->fail(str("has ", config.sliding.size(), " items, the model ",
                    config.layers, " layers"));
  }
}

/// Multimodal files say it of the whole model, of its text part, or of both.
bool is_tied(const JsonView& whole, const JsonView& text) {
  bool tied = true;
  for (const JsonView* view : {&whole, &text}) {
    const auto said = view->find("tie_word_embeddings");
    tied = tied && (!said || said->boolean());
  }
  return tied;
}

Config read_sizes(const JsonView& view) {
  Config config;
  config.vocab = size(view, "vocab_size", 262'208, 1 << 24);
  config.hidden = size(view, "hidden_size", 2304, 1 << 16);
  config.ffn = size(view, "intermediate_size", 9216, 1 << 20);
  config.layers = size(view, "num_hidden_layers", 26, 1024);
  config.heads = size(view, "num_attention_heads", 8, 1024);
  config.kv_heads = size(view, "num_key_value_heads", 4, 1024);
  config.head_dim = size(view, "head_dim", 256, 4096);
  config.context = size(view, "max_position_embeddings", 131'072, 1 << 24);
  config.window = size(view, "sliding_window", 4096, 1 << 24);
  config.norm_epsilon = positive(view, "rms_norm_eps", 1e-6);
  config.attention_scale =
      1 / std::sqrt(positive(view, "query_pre_attn_scalar", 256));
  return config;
}

/// Ids that end a text: one or a list of them.
void add_eos(const JsonView& view, Tokens& ids) {
  const auto found = view.find("eos_token_id");
  if (!found) return;
  constexpr std::int64_t kMost = (1 << 24) - 1;
  if (found->is_integer()) {
    ids.push_back(found->integer(0, kMost));
    return;
  }
  for (const JsonView& id : found->items()) ids.push_back(id.integer(0, kMost));
}

Tokens read_eos(const fs::path& folder, const JsonView& whole,
                const JsonView& text) {
  Tokens ids;
  if (fs::exists(folder / "generation_config.json")) {
    const JsonValue parsed = read_json(folder / "generation_config.json");
    add_eos(JsonView(parsed, (folder / "generation_config.json").string()),
            ids);
  }
  if (ids.empty()) add_eos(whole, ids);
  if (ids.empty()) add_eos(text, ids);
  if (ids.empty()) ids = {1};
  return ids;
}

}  // namespace

Config read_config(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  if (!fs::exists(path)) {
    throw Error(Code::kNotFound, str("'", path.string(),
                                     "' is missing: a safetensors model "
                                     "needs its config.json beside it"));
  }
  const JsonValue parsed = read_json(path);
  const JsonView whole(parsed, path.string());
  const JsonView text = text_part(whole);
  refuse_variants(text);
  Config config = read_sizes(text);
  read_rope(text, config);
  read_layers(text, config);
  config.is_tied = is_tied(whole, text);
  config.eos_ids = read_eos(folder, whole, text);
  check_config(config);
  return config;
}

}  // namespace penstock::gemma
