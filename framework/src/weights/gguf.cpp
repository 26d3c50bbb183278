#include "weights/gguf.h"

#include <algorithm>
#include <bit>
#include <string>

#include "penstock/error.h"
#include "weights/byte_reader.h"
#include "weights/gguf_metadata.h"
#include "weights/gguf_tensors.h"
#include "weights/magic.h"

namespace penstock::weights {

namespace {

constexpr std::size_t kMagicBytes = 4;
constexpr std::uint32_t kMinVersion = 2;
constexpr std::uint32_t kMaxVersion = 3;
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint64_t kMinAlignment = 8;  // of the specification

// The fewest bytes a key or a tensor can take in the header: a name of one
// byte and a value of one byte; a name, no dimensions, the type, the offset.
constexpr std::uint64_t kLeastKeyBytes = 9 + 4 + 1;
constexpr std::uint64_t kLeastTensorBytes = 9 + 4 + 4 + 8;

std::uint32_t read_version(ByteReader& reader) {
  const auto where = reader.offset();
  const auto version = reader.number<std::uint32_t>("the version");
  if (version != 0 && (version & 0xffffU) == 0) {
    reader.fail(where,
                "this is a big-endian GGUF file, expected little-endian");
  }
  if (version < kMinVersion || version > kMaxVersion) {
    reader.fail(where, str("GGUF version ", version, ", expected ", kMinVersion,
                           " or ", kMaxVersion));
  }
  return version;
}

std::uint64_t find_alignment(ByteReader& reader,
                             const std::vector<MetadataEntry>& metadata) {
  const auto found = std::find_if(
      metadata.begin(), metadata.end(),
      [](const auto& entry) { return entry.key == "general.alignment"; });
  if (found == metadata.end()) return kDefaultAlignment;
  reader.set_subject("key 'general.alignment'");
  if (found->value.is_array || found->value.type != ValueType::kU32) {
    reader.fail(reader.offset_of(found->value.bytes),
                "is " + describe(found->value) + ", expected u32");
  }
  const auto alignment = load<std::uint32_t>(found->value.bytes.data());
  if (!std::has_single_bit(alignment) || alignment < kMinAlignment ||
      alignment > kMaxAlignment) {
    reader.fail(reader.offset_of(found->value.bytes),
                str("is ", alignment, ", expected a power of two from ",
                    kMinAlignment, " to ", kMaxAlignment));
  }
  reader.set_subject("");
  return alignment;
}

}  // namespace

GgufFile parse_gguf(std::span<const std::byte> bytes, std::string_view file) {
  check_magic(bytes, file);
  ByteReader reader(bytes, file, kMaxHeaderBytes);
  reader.take(kMagicBytes, "the magic");

  GgufFile result;
  result.version = read_version(reader);
  const auto tensors =
      reader.count(kMaxTensors, kLeastTensorBytes, "the number of tensors");
  const auto keys =
      reader.count(kMaxKeys, kLeastKeyBytes, "the number of keys");
  result.metadata = read_gguf_metadata(reader, keys);
  result.alignment = find_alignment(reader, result.metadata);
  result.tensors = read_gguf_tensors(reader, bytes, tensors, result.alignment);
  return result;
}

}  // namespace penstock::weights
