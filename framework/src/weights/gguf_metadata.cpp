#include "weights/gguf_metadata.h"

#include <set>

#include "penstock/error.h"
#include "weights/gguf.h"

namespace penstock::weights {

namespace {

constexpr std::uint64_t kTextLengthBytes = 8;
constexpr std::uint64_t kArrayHeadBytes = 4 + 8;  // element type, length

ValueType read_value_type(ByteReader& reader) {
  const auto where = reader.offset();
  const auto type = reader.number<std::uint32_t>("the value type");
  constexpr auto kLast = static_cast<std::uint32_t>(ValueType::kF64);
  if (type > kLast) {
    reader.fail(where, str("value type ", type, ", expected 0 to ", kLast));
  }
  return static_cast<ValueType>(type);
}

std::uint64_t least_bytes(ValueType type) {
  if (type == ValueType::kText) return kTextLengthBytes;
  if (type == ValueType::kArray) return kArrayHeadBytes;
  return value_size(type);
}

void check_bools(const ByteReader& reader, std::span<const std::byte> bools) {
  for (std::size_t i = 0; i < bools.size(); ++i) {
    const auto value = std::to_integer<unsigned>(bools[i]);
    if (value > 1) {
      reader.fail(reader.offset() - bools.size() + i,
                  str("a bool is stored as ", value, ", expected 0 or 1"));
    }
  }
}

// Arrays of arrays are legal but used by no model: they are checked and
// skipped. The recursion is bounded by kMaxArrayDepth.
MetadataValue read_array(ByteReader& reader, int depth) {
  if (depth > kMaxArrayDepth) {
    reader.fail(reader.offset(),
                str("arrays nested more than ", kMaxArrayDepth, " deep"));
  }
  MetadataValue array{.type = read_value_type(reader), .is_array = true};
  array.count = reader.count(kMaxHeaderBytes, least_bytes(array.type),
                             "the array length");
  const auto start = reader.offset();
  if (array.type == ValueType::kText) {
    for (std::uint64_t i = 0; i < array.count; ++i) reader.text("a text");
  } else if (array.type == ValueType::kArray) {
    for (std::uint64_t i = 0; i < array.count; ++i) {
      read_array(reader, depth + 1);
    }
  } else {  // cannot overflow: count was held against the bytes left
    reader.take(array.count * value_size(array.type), "the array");
  }
  array.bytes = reader.since(start);
  if (array.type == ValueType::kBool) check_bools(reader, array.bytes);
  return array;
}

MetadataValue read_value(ByteReader& reader) {
  MetadataValue value{.type = read_value_type(reader)};
  if (value.type == ValueType::kArray) return read_array(reader, /*depth=*/1);
  if (value.type == ValueType::kText) {
    const auto text = reader.text("the text");
    value.bytes = std::as_bytes(std::span(text.data(), text.size()));
    return value;
  }
  value.bytes = reader.take(value_size(value.type), "the value");
  if (value.type == ValueType::kBool) check_bools(reader, value.bytes);
  return value;
}

std::string_view read_key(ByteReader& reader, std::uint64_t index) {
  const auto where = reader.offset();
  reader.set_subject(str("key ", index));
  const auto key = reader.text("the name");
  if (key.empty() || key.size() > kMaxNameBytes) {
    reader.fail(where, str("a name of ", key.size(), " bytes, expected 1 to ",
                           kMaxNameBytes));
  }
  reader.set_subject("key " + in_quotes(key));
  return key;
}

}  // namespace

std::vector<MetadataEntry> read_gguf_metadata(ByteReader& reader,
                                              std::uint64_t count) {
  std::vector<MetadataEntry> entries;
  std::set<std::string_view> seen;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto where = reader.offset();
    const auto key = read_key(reader, i);
    if (!seen.insert(key).second) reader.fail(where, "stands there twice");
    entries.push_back({.key = key, .value = read_value(reader)});
  }
  reader.set_subject("");
  return entries;
}

}  // namespace penstock::weights
