#include "tests/plugins/gemma/typed_model.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <ostream>
#include <system_error>
#include <utility>

namespace penstock::gemma {
namespace {

using penstock::testing::bytes_of;
using penstock::testing::GgufBuilder;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kHidden = 256;
constexpr std::uint64_t kVocab = 64;

/// splitmix64
std::uint64_t word(std::uint64_t z) {
  z *= 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

Bytes random_bytes(std::uint64_t key, std::size_t count) {
  std::vector<std::uint64_t> words((count + 7) / 8);
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = word(key + i);
  Bytes bytes = bytes_of(words);
  bytes.resize(count);
  return bytes;
}

/// Norms are F32, in the F16 model F16: their steps fit both.
Bytes norm(const GgufType& type, std::uint64_t key, std::uint64_t count,
           bool is_post) {
  std::vector<float> values(count);
  std::vector<std::uint16_t> halves(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto step = static_cast<std::uint16_t>(word(key + i) & 255U);
    values[i] = (1 + static_cast<float>(step) / 512) * (is_post ? 8.0F : 1.0F);
    halves[i] = static_cast<std::uint16_t>((is_post ? 18U : 15U) << 10U |
                                           static_cast<unsigned>(step) << 1U);
  }
  return type.name == "F16" ? bytes_of(halves) : bytes_of(values);
}

/// Names, innermost size first, as the file has them.
std::vector<std::pair<std::string, std::vector<std::uint64_t>>> tensors(
    const TypedHeads& heads) {
  const std::uint64_t queries = heads.queries * heads.numbers;
  std::vector<std::pair<std::string, std::vector<std::uint64_t>>> all = {
      {"token_embd.weight", {kHidden, kVocab}},
      {"output_norm.weight", {kHidden}}};
  for (const std::string blk : {"blk.0.", "blk.1."}) {
    for (const char* name :
         {"attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm"}) {
      all.push_back({blk + name + ".weight", {kHidden}});
    }
    for (const char* name : {"attn_q_norm", "attn_k_norm"}) {
      all.push_back({blk + name + ".weight", {heads.numbers}});
    }
    for (const char* name : {"attn_k", "attn_v"}) {
      all.push_back(
          {blk + name + ".weight", {kHidden, heads.keys * heads.numbers}});
    }
    all.push_back({blk + "attn_q.weight", {kHidden, queries}});
    all.push_back({blk + "attn_output.weight", {queries, kHidden}});
    for (const char* name : {"ffn_gate", "ffn_up", "ffn_down"}) {
      all.push_back({blk + name + ".weight", {kHidden, kHidden}});
    }
  }
  std::sort(all.begin(), all.end());  // the golden counts them in this order
  return all;
}

std::uint64_t index_of(const GgufType& type) {
  const auto all = gguf_types();
  return static_cast<std::uint64_t>(
      std::find_if(all.begin(), all.end(),
                   [&](const GgufType& t) { return t.name == type.name; }) -
      all.begin());
}

}  // namespace

void PrintTo(const GgufType& type, std::ostream* os) { *os << type.name; }

std::vector<GgufType> gguf_types() {
  return {{"F32", 0, 1, 4, {}, 0x3D000000, 0x807FFFFF},
          {"F16", 1, 1, 2, {}, 0x2800, 0x83FF},
          {"BF16", 30, 1, 2, {}, 0x3D00, 0x807F},
          {"Q8_0", 8, 32, 34, {{0, 4}}},
          {"Q4_0", 2, 32, 18, {{0, 8}}},
          {"Q4_1", 3, 32, 20, {{0, 8}, {2, 32 + 11}}},
          {"Q5_0", 6, 32, 22, {{0, 7}}},
          {"Q5_1", 7, 32, 24, {{0, 7}, {2, 32 + 11}}},
          {"IQ4_NL", 20, 32, 18, {{0, 5}}},
          {"Q2_K", 10, 256, 84, {{80, 7}, {82, 7}}},
          {"Q3_K", 11, 256, 110, {{108, 5}}},
          {"Q4_K", 12, 256, 144, {{0, 3}, {2, 6}}},
          {"Q5_K", 13, 256, 176, {{0, 2}, {2, 6}}},
          {"Q6_K", 14, 256, 210, {{208, 1}}}};
}

GgufType gguf_type(const std::string& name) {
  const auto all = gguf_types();
  return *std::find_if(all.begin(), all.end(),
                       [&](const GgufType& t) { return t.name == name; });
}

Bytes typed_numbers(const GgufType& type, std::uint64_t key,
                    std::uint64_t count) {
  Bytes bytes = random_bytes(key, count / type.values * type.bytes);
  const auto edit = [&](std::size_t at, auto change) {
    std::uint16_t number = 0;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    number = static_cast<std::uint16_t>(change(number));
    std::memcpy(bytes.data() + at, &number, sizeof number);
  };
  if (type.values == 1) {
    // The upper half of a float, all of the others.
    const bool is_f32 = type.bytes == 4;
    const std::uint32_t fixed = is_f32 ? type.fixed >> 16U : type.fixed;
    const std::uint32_t free = is_f32 ? type.free >> 16U : type.free;
    for (std::size_t at = type.bytes - 2; at < bytes.size(); at += type.bytes) {
      edit(at, [&](unsigned number) { return (number & free) | fixed; });
    }
    return bytes;
  }
  for (std::size_t block = 0; block < bytes.size(); block += type.bytes) {
    for (const GgufType::Scale& scale : type.scales) {
      edit(block + scale.offset, [&](unsigned number) {
        return (number & 0x3FFU) | scale.exponent << 10U;
      });
    }
  }
  return bytes;
}

std::vector<GgufBuilder::Tensor> typed_tensors(const GgufType& type,
                                               const TypedHeads& heads) {
  std::vector<GgufBuilder::Tensor> all;
  for (const auto& [name, dims] : tensors(heads)) {
    const std::uint64_t key = (index_of(type) + 1) << 48U | all.size() << 32U;
    const bool is_norm = dims.size() == 1;
    const bool is_half = is_norm && type.name == "F16";
    const bool is_post = name.find("post") != std::string::npos;
    all.push_back({.name = name,
                   .dims = dims,
                   .type = !is_norm  ? type.code
                           : is_half ? 1U
                                     : 0U,
                   .data = is_norm
                               ? norm(type, key, dims[0], is_post)
                               : typed_numbers(type, key, dims[0] * dims[1])});
  }
  return all;
}

GgufBuilder typed_keys(const TypedHeads& heads) {
  return GgufBuilder()
      .text("general.architecture", "gemma3")
      .number<std::uint32_t>("gemma3.embedding_length", kHidden)
      .number<std::uint32_t>("gemma3.block_count", 2)
      .number<std::uint32_t>("gemma3.attention.head_count", heads.queries)
      .number<std::uint32_t>("gemma3.attention.head_count_kv", heads.keys)
      .number<std::uint32_t>("gemma3.attention.key_length", heads.numbers)
      .number<std::uint32_t>("gemma3.feed_forward_length", kHidden)
      .number<std::uint32_t>("gemma3.context_length", 64)
      .number<std::uint32_t>("gemma3.attention.sliding_window", 12)
      .number("gemma3.attention.layer_norm_rms_epsilon", 1e-6F)
      .number("gemma3.rope.freq_base", 1e6F)
      .number("gemma3.rope.freq_base_swa", 1e4F);
}

GgufBuilder typed_model(const GgufType& type, const TypedHeads& heads) {
  GgufBuilder file = typed_keys(heads);
  file.number<std::uint32_t>("gemma3.attention.sliding_window_pattern", 2);
  for (auto& tensor : typed_tensors(type, heads)) {
    file.tensor(std::move(tensor));
  }
  return file;
}

TypedFile::TypedFile(const GgufBuilder& file) {
  std::string folder =
      (std::filesystem::temp_directory_path() / "typed.XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), folder);
  }
  folder_ = folder;
  const Bytes bytes = file.build();
  std::ofstream(path(), std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}
TypedFile::~TypedFile() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace penstock::gemma
