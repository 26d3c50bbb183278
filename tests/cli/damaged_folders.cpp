#include "tests/cli/damaged_folders.h"

#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;

/// `old` becomes `now` in one file; without `old` the file is `now`; without
/// either it is missing.
struct Damage {
  const char *from, *name, *file, *old, *now;
};

constexpr const char* kPlain = "plain";
constexpr const char* kSharded = "sharded";
constexpr const char* kConfig = "config.json";
constexpr const char* kWeights = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kTokenizer = "tokenizer.json";

constexpr std::array kDamages = {
    Damage{kPlain, "no_config", kConfig, "", ""},
    Damage{kPlain, "cut_config", kConfig, "",
           R"({"model_type": "gemma3_text", )"},
    Damage{kPlain, "deep_config", kConfig, "",
           R"([[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[)"},
    Damage{kPlain, "key_twice", kConfig, R"("head_dim": 16)",
           R"("head_dim": 16, "head_dim": 8)"},
    Damage{kPlain, "other_type", kConfig, R"("gemma3_text")", R"("llama")"},
    Damage{kPlain, "text_size", kConfig, R"("hidden_size": 32)",
           R"("hidden_size": "32")"},
    Damage{kPlain, "huge_size", kConfig, R"("hidden_size": 32)",
           R"("hidden_size": 99999999)"},
    Damage{kPlain, "other_size", kConfig, R"("hidden_size": 32)",
           R"("hidden_size": 64)"},
    Damage{kPlain, "capped", kConfig, R"("final_logit_softcapping": null)",
           R"("final_logit_softcapping": 30.0)"},
    Damage{kPlain, "untied", kConfig, R"("tie_word_embeddings": true)",
           R"("tie_word_embeddings": false)"},
    Damage{kPlain, "silu", kConfig, R"(gelu_pytorch_tanh)", R"(silu)"},
    Damage{kPlain, "yarn", kConfig, R"("rope_type": "default")",
           R"("rope_type": "yarn")"},
    Damage{kPlain, "layer_kind", kConfig, R"("full_attention",)",
           R"("no_attention",)"},
    Damage{kPlain, "layer_count", kConfig, R"("num_hidden_layers": 7)",
           R"("num_hidden_layers": 8)"},
    Damage{kSharded, "more_layers", kConfig, R"("num_hidden_layers": 6)",
           R"("num_hidden_layers": 7)"},
    Damage{kPlain, "bad_eos", "generation_config.json", R"("eos_token_id": [)",
           R"("eos_token_id": [-1,)"},
    Damage{kPlain, "no_weights", kWeights, "", ""},
    Damage{kPlain, "int_weights", kWeights,
           R"("model.norm.weight":{"dtype":"BF16")",
           R"("model.norm.weight":{"dtype":"I16" )"},
    Damage{kPlain, "adapter", kWeights, R"(model.embed_tokens.weight)",
           R"(model.embed_t0kens.weight)"},
    Damage{kSharded, "index_outside", kIndex, R"(model-00001-of)",
           R"(../model-00001-of)"},
    Damage{kSharded, "index_absent", "model-00002-of-00004.safetensors", "",
           ""},
    Damage{kSharded, "index_moved", kIndex,
           R"(model.norm.weight": "model-00004)",
           R"(model.norm.weight": "model-00001)"},
    Damage{kSharded, "index_needed", "model-00004-of-00004.safetensors",
           R"("model.norm.weight")", R"("vision_tower.abcd")"},
    Damage{kSharded, "index_more", kIndex, R"("weight_map": {)",
           R"("weight_map": {"x": "model-00001-of-00004.safetensors",)"},
    Damage{kPlain, "type_of_embedding", kWeights,
           R"("model.embed_tokens.weight":{"dtype":"BF16")",
           R"("model.embed_tokens.weight":{"dtype":"I16" )"},
    Damage{kPlain, "factor_alone", kConfig, R"("rope_type": "default")",
           R"("factor": 8.0)"},
    Damage{kPlain, "no_json", kTokenizer, "", ""},
    Damage{kPlain, "cut_json", kTokenizer, "", R"({"model": {"vocab": {)"},
    Damage{kPlain, "unigram", kTokenizer, R"("type": "BPE")",
           R"("type": "Unigram")"},
    Damage{kPlain, "no_bytes", kTokenizer, R"("byte_fallback": true)",
           R"("byte_fallback": false)"},
    Damage{kPlain, "no_merge", kTokenizer, R"("merges": [)",
           R"("merges": [["q", "zzz"],)"},
    Damage{kPlain, "id_twice", kTokenizer, R"("<eos>": 1,)", R"("<eos>": 0,)"},
    Damage{kPlain, "huge_id", kTokenizer, R"("<eos>": 1,)",
           R"("<eos>": 99999999999,)"},
};

std::string read(const fs::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

void link_files(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    fs::create_symlink(entry.path(), to / entry.path().filename());
  }
}

void replace_file(const fs::path& path, const std::string& bytes) {
  fs::remove(path);  // it is a link to what must stay whole
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

void write_damaged_folders(const fs::path& to) {
  const fs::path folders = PENSTOCK_SOURCE_DIR "/tests/fixtures/folders";
  for (const Damage& damage : kDamages) {
    const fs::path folder = to / damage.name;
    link_files(folders / damage.from, folder);
    const std::string old = damage.old;
    std::string bytes = damage.now;
    if (!old.empty()) {
      bytes = read(folder / damage.file);
      const auto at = bytes.find(old);
      if (at == std::string::npos) throw std::logic_error("no " + old);
      bytes.replace(at, old.size(), damage.now);
    }
    replace_file(folder / damage.file, bytes);
    if (bytes.empty()) fs::remove(folder / damage.file);
  }
  const std::string whole = read(folders / kPlain / kWeights);
  link_files(folders / kPlain, to / "cut_weights");
  replace_file(to / "cut_weights" / kWeights,
               whole.substr(0, whole.size() - 100));
}

}  // namespace penstock::cli
