#include "pipeline_serve/api/inference/binary_tensors.h"

#include <charconv>
#include <cstdint>
#include <limits>

#include "penstock/error.h"

namespace penstock::serve {
namespace {

constexpr std::size_t kPrefix = 4;

std::uint32_t read_length(std::string_view bytes) {
  std::uint32_t length = 0;
  for (std::size_t i = kPrefix; i-- > 0;) {
    length = length << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return length;
}

}  // namespace

SplitBody split_body(std::string_view body, std::string_view length) {
  if (length.empty()) return {.json = body, .tensors = {}, .is_binary = false};
  std::size_t size = 0;
  const char* end = length.data() + length.size();
  const auto [stop, error] = std::from_chars(length.data(), end, size);
  if (error != std::errc() || stop != end) {
    throw Error(Code::kData, str(kHeaderLength, " is no number of bytes"));
  }
  if (size > body.size()) {
    throw Error(Code::kData, str(kHeaderLength, " is ", size,
                                 ", but the body has ", body.size(), " bytes"));
  }
  return {.json = body.substr(0, size),
          .tensors = body.substr(size),
          .is_binary = true};
}

std::vector<std::string_view> unpack_bytes(std::string_view tensor,
                                           std::size_t count,
                                           const std::string& place) {
  std::vector<std::string_view> out;
  while (!tensor.empty()) {
    if (out.size() == count) {
      throw Error(Code::kData, str(place, " has more than the ", count,
                                   " elements of its shape: ", tensor.size(),
                                   " bytes are left"));
    }
    if (tensor.size() < kPrefix) {
      throw Error(Code::kData, str(place, " ends within the length of element ",
                                   out.size()));
    }
    const std::size_t length = read_length(tensor);
    tensor.remove_prefix(kPrefix);
    if (length > tensor.size()) {
      throw Error(Code::kData,
                  str(place, ": element ", out.size(), " says that it has ",
                      length, " bytes; ", tensor.size(), " are left"));
    }
    out.push_back(tensor.substr(0, length));
    tensor.remove_prefix(length);
  }
  if (out.size() < count) {
    throw Error(Code::kData, str(place, " has ", out.size(), " elements, but ",
                                 "its shape has ", count));
  }
  return out;
}

void pack_bytes(std::string_view element, std::string& tensor) {
  if (element.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(Code::kInternal, "an element of more than 4 GiB");
  }
  auto length = static_cast<std::uint32_t>(element.size());
  for (std::size_t i = 0; i < kPrefix; ++i) {
    tensor += static_cast<char>(length & 0xFFU);
    length >>= 8U;
  }
  tensor += element;
}

}  // namespace penstock::serve
