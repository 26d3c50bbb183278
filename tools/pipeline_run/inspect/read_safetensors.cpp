#include <ATen/ops/empty.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "pipeline_run/inspect/safetensors_file.h"

namespace penstock::run {
namespace {

using HeaderJson = nlohmann::ordered_json;

/// The format's own limit.
constexpr std::uint64_t kMostHeader = 100'000'000;

std::optional<at::ScalarType> type_of(const std::string& word) {
  for (const auto& [name, type] :
       {std::pair{"BOOL", at::kBool}, std::pair{"U8", at::kByte},
        std::pair{"I8", at::kChar}, std::pair{"I16", at::kShort},
        std::pair{"I32", at::kInt}, std::pair{"I64", at::kLong},
        std::pair{"F16", at::kHalf}, std::pair{"BF16", at::kBFloat16},
        std::pair{"F32", at::kFloat}, std::pair{"F64", at::kDouble}}) {
    if (word == name) return type;
  }
  return std::nullopt;
}

/// A whole number that is not negative, or nothing.
std::optional<std::uint64_t> count_in(const HeaderJson& json) {
  if (!json.is_number_unsigned()) return std::nullopt;
  return json.get<std::uint64_t>();
}

/// One file, read piece by piece; every length is checked against its size.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path)
      : path_(path), in_(path, std::ios::binary) {
    std::error_code error;
    size_ = std::filesystem::file_size(path, error);
    if (error || !in_) {
      throw Error(Code::kNotFound, "cannot read '" + path.string() + "'");
    }
  }

  Tensors operator()() {
    const HeaderJson header = read_header();
    Tensors out;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      out.emplace_back(name, read_tensor(name, entry));
    }
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Code::kData, str("'", path_.string(), "': ", what));
  }
  void read(std::uint64_t at, char* to, std::uint64_t count) {
    in_.seekg(static_cast<std::streamoff>(at));
    in_.read(to, static_cast<std::streamsize>(count));
    if (!in_) fail("it ended while it was read");
  }

  HeaderJson read_header() {
    std::uint64_t length = 0;
    if (size_ < sizeof length) fail("it is too short to be safetensors");
    read(0, reinterpret_cast<char*>(&length), sizeof length);
    if (length > kMostHeader || length > size_ - sizeof length) {
      fail(str("its header is said to have ", length, " bytes, of ", size_));
    }
    std::string text(length, '\0');
    read(sizeof length, text.data(), length);
    data_ = sizeof length + length;
    auto header = HeaderJson::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!header.is_object()) fail("its header is no JSON object");
    return header;
  }

  at::Tensor read_tensor(const std::string& name, const HeaderJson& entry) {
    const auto wrong = [&](const std::string& what) {
      fail(str("tensor '", name, "': ", what));
    };
    const bool is_whole = entry.is_object() && entry.contains("dtype") &&
                          entry["dtype"].is_string() &&
                          entry.contains("shape") && entry["shape"].is_array();
    if (!is_whole) wrong("its entry has no dtype or shape");
    const auto type = type_of(entry["dtype"].get<std::string>());
    if (!type) wrong("its dtype " + entry["dtype"].dump() + " is not known");
    const std::uint64_t room = size_ - data_;
    const auto shape = shape_of(name, entry["shape"]);
    std::uint64_t bytes = at::elementSize(*type);
    for (const std::int64_t extent : shape) {
      if (extent == 0) bytes = 0;
    }
    for (const std::int64_t extent : shape) {
      if (bytes == 0) break;
      // What does not fit the file cannot be right, and must not overflow.
      if (bytes > room / static_cast<std::uint64_t>(extent)) {
        wrong("its shape is larger than the file");
      }
      bytes *= static_cast<std::uint64_t>(extent);
    }
    const std::uint64_t begin = offset(entry, 0);
    const std::uint64_t end = offset(entry, 1);
    if (begin > end || end > room || end - begin != bytes) {
      wrong(str("its bytes [", begin, ", ", end, ") are not ", bytes,
                " within ", room));
    }
    at::Tensor tensor = at::empty(shape, at::TensorOptions(*type));
    if (bytes > 0) {
      read(data_ + begin, static_cast<char*>(tensor.data_ptr()), bytes);
    }
    return tensor;
  }

  std::vector<std::int64_t> shape_of(const std::string& name,
                                     const HeaderJson& json) const {
    std::vector<std::int64_t> shape;
    for (const HeaderJson& value : json) {
      const auto extent = count_in(value);
      if (!extent || *extent > kMostExtent || shape.size() == kMostDims) {
        fail(str("tensor '", name, "': its shape is no shape"));
      }
      shape.push_back(static_cast<std::int64_t>(*extent));
    }
    return shape;
  }

  std::uint64_t offset(const HeaderJson& entry, std::size_t which) const {
    if (!entry.contains("data_offsets")) fail("a tensor has no data_offsets");
    const HeaderJson& both = entry["data_offsets"];
    const bool is_pair = both.is_array() && both.size() == 2;
    const auto value = is_pair ? count_in(both[which]) : std::nullopt;
    if (!value) fail("data_offsets are not two numbers");
    return *value;
  }

  static constexpr std::uint64_t kMostExtent = std::uint64_t{1} << 48U;
  static constexpr std::size_t kMostDims = 64;

  std::filesystem::path path_;
  std::ifstream in_;
  std::uint64_t size_ = 0, data_ = 0;
};

}  // namespace

Tensors read_safetensors(const std::filesystem::path& path) {
  return Reader(path)();
}

}  // namespace penstock::run
