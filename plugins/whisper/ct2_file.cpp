#include "whisper/ct2_file.h"

#include <array>
#include <cstring>
#include <utility>

#include "penstock/error.h"

namespace penstock::whisper {
namespace {

constexpr std::uint32_t kVersion = 6;
constexpr std::uint32_t kMostTensors = 100'000;
constexpr std::size_t kMostRank = 4;
constexpr std::array<std::int64_t, 6> kSizes = {4, 1, 2, 4, 2, 2};

class Reader {
 public:
  Reader(const std::string& name, std::span<const std::byte> bytes)
      : name_(name), bytes_(bytes) {}

  template <class T>
  T number(const char* what) {
    T value{};
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }
  std::string text(const char* what) {
    const auto size = number<std::uint16_t>(what);
    const auto all = take(size, what);
    if (size == 0 || all.back() != std::byte{0}) {
      fail(str(what, " does not end"));
    }
    return {reinterpret_cast<const char*>(all.data()), all.size() - 1};
  }
  std::span<const std::byte> take(std::size_t size, const char* what) {
    if (size > bytes_.size() - at_) {
      fail(str(what, " needs ", size, " bytes, ", bytes_.size() - at_,
               " are left"));
    }
    at_ += size;
    return bytes_.subspan(at_ - size, size);
  }
  [[nodiscard]] bool is_over() const { return at_ == bytes_.size(); }
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(Code::kData,
                str("'", name_, "': at byte ", at_, ": ", problem));
  }

 private:
  const std::string& name_;
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

Ct2Tensor read_tensor(Reader& in, const std::string& name) {
  Ct2Tensor tensor;
  const auto rank = in.number<std::uint8_t>("a rank");
  if (rank > kMostRank) in.fail(str(name, " has ", int{rank}, " dims"));
  std::int64_t count = 1;
  for (int i = 0; i < rank; ++i) {
    const auto dim = in.number<std::uint32_t>("a dim");
    if (dim == 0 || count > INT64_C(0x7FFFFFFFFF) / dim) {
      in.fail(str(name, " has a dim of ", dim));
    }
    tensor.shape.push_back(dim);
    count *= dim;
  }
  const auto type = in.number<std::uint8_t>("a type");
  if (type >= kSizes.size()) in.fail(str(name, " has type ", int{type}));
  tensor.type = static_cast<Ct2Type>(type);
  const auto size = in.number<std::uint32_t>("a size");
  if (size != count * kSizes.at(type)) {
    in.fail(str(name, " has ", size, " bytes for ", count, " numbers"));
  }
  tensor.data = in.take(size, name.c_str());
  return tensor;
}

template <class T>
T item(std::span<const std::byte> data, std::size_t at) {
  T value{};
  std::memcpy(&value, data.data() + at * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

Ct2File Ct2File::open(const std::filesystem::path& path) {
  return {path.string(), std::make_unique<const MappedFile>(path)};
}

Ct2File::Ct2File(std::string name, std::unique_ptr<const MappedFile> file)
    : name_(std::move(name)), file_(std::move(file)) {
  parse(file_->bytes());
}

Ct2File::Ct2File(std::string name, std::string bytes)
    : name_(std::move(name)),
      bytes_(std::make_unique<const std::string>(std::move(bytes))) {
  parse(std::as_bytes(std::span(*bytes_)));
}

void Ct2File::parse(std::span<const std::byte> bytes) {
  Reader in(name_, bytes);
  const auto version = in.number<std::uint32_t>("the version");
  if (version != kVersion) {
    in.fail(str("is no CTranslate2 model of version ", kVersion));
  }
  spec_ = in.text("the kind of model");
  (void)in.number<std::uint32_t>("the revision");
  const auto count = in.number<std::uint32_t>("the number of arrays");
  if (count > kMostTensors) in.fail(str(count, " arrays"));
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string name = in.text("a name");
    if (!tensors_.emplace(name, read_tensor(in, name)).second) {
      in.fail(name + " stands there twice");
    }
  }
  const auto aliases = in.number<std::uint32_t>("the number of aliases");
  if (aliases > kMostTensors) in.fail(str(aliases, " aliases"));
  for (std::uint32_t i = 0; i < aliases; ++i) {
    const std::string alias = in.text("an alias");
    const auto found = tensors_.find(in.text("an alias's name"));
    if (found == tensors_.end() ||
        !tensors_.emplace(alias, found->second).second) {
      in.fail(alias + " is another name of nothing, or stands there twice");
    }
  }
  if (!in.is_over()) in.fail("there is more than the file should hold");
}

const Ct2Tensor& Ct2File::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw Error(Code::kData, str("'", name_, "' has no array ", name));
  }
  return found->second;
}

std::int64_t Ct2File::integer(const std::string& name) const {
  const Ct2Tensor& tensor = at(name);
  if (tensor.shape.empty()) {
    if (tensor.type == Ct2Type::kI8) return item<std::int8_t>(tensor.data, 0);
    if (tensor.type == Ct2Type::kI16) return item<std::int16_t>(tensor.data, 0);
    if (tensor.type == Ct2Type::kI32) return item<std::int32_t>(tensor.data, 0);
  }
  throw Error(Code::kData,
              str("'", name_, "': ", name, " is no single whole number"));
}

WeightTensor to_weights(const std::string& name, const Ct2Tensor& tensor) {
  WeightTensor out{.name = name, .shape = tensor.shape, .data = tensor.data};
  switch (tensor.type) {
    case Ct2Type::kF32:
      out.type = WeightType::kF32;
      return out;
    case Ct2Type::kF16:
      out.type = WeightType::kF16;
      return out;
    case Ct2Type::kBF16:
      out.type = WeightType::kBF16;
      return out;
    default:
      throw Error(Code::kData,
                  name +
                      " is stored as whole numbers; models of 16 or 32 bit "
                      "floats are read");
  }
}

}  // namespace penstock::whisper
