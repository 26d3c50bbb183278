// Tiny Gemma models whose matrices are all of one GGUF type, and such matrices.
// Their bytes come from the hash of tests/golden/make_types.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "tests/framework/weights/gguf_builder.h"

namespace penstock::gemma {

struct GgufType {
  /// An fp16 number of a block: where it lies, and its exponent's bits.
  struct Scale {
    std::size_t offset;
    unsigned exponent;
  };

  std::string name;
  std::uint32_t code;  ///< ggml's
  std::size_t values, bytes;
  std::vector<Scale> scales;
  std::uint32_t fixed = 0, free = 0;  ///< bits of a plain type
};
void PrintTo(const GgufType& type, std::ostream* os);

/// All that files have.
[[nodiscard]] std::vector<GgufType> gguf_types();
[[nodiscard]] GgufType gguf_type(const std::string& name);

/// `count` numbers by chance, none of them large, of `key` alone.
[[nodiscard]] std::vector<std::byte> typed_numbers(const GgufType& type,
                                                   std::uint64_t key,
                                                   std::uint64_t count);

/// Heads of queries and of keys, and numbers of one: as the goldens have them.
struct TypedHeads {
  std::uint32_t queries = 2, keys = 1, numbers = 128;
};

/// The model that tests/golden/types has answers of: two layers, a vocabulary
/// of 64, a context of 64. Its parts: metadata but for which layers slide, and
/// tensors.
[[nodiscard]] penstock::testing::GgufBuilder typed_model(
    const GgufType& type, const TypedHeads& heads = {});
[[nodiscard]] penstock::testing::GgufBuilder typed_keys(
    const TypedHeads& heads = {});
[[nodiscard]] std::vector<penstock::testing::GgufBuilder::Tensor> typed_tensors(
    const GgufType& type, const TypedHeads& heads = {});

/// A model's file in a folder of its own, as long as this lives.
class TypedFile {
 public:
  explicit TypedFile(const penstock::testing::GgufBuilder& file);
  ~TypedFile();
  TypedFile(const TypedFile&) = delete;
  TypedFile& operator=(const TypedFile&) = delete;
  [[nodiscard]] std::string path() const {
    return (folder_ / "model.gguf").string();
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace penstock::gemma
