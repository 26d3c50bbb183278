// The binary tensor extension of the Open Inference Protocol: a JSON header,
// then the tensors' bytes. No length is believed before it was compared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace penstock::serve {

/// The header field that says how long the JSON is.
inline constexpr const char* kHeaderLength = "Inference-Header-Content-Length";

struct SplitBody {
  std::string_view json;
  std::string_view tensors;
  bool is_binary = false;  ///< the header field was there
};

/// `length`: the header field's value. Throws Error(kData) where it is no
/// number, or more than the body.
[[nodiscard]] SplitBody split_body(std::string_view body,
                                   std::string_view length);

/// The elements of a BYTES tensor: each behind its length, 4 bytes,
/// little-endian. `place` begins the complaint; throws Error(kData) where
/// there are not `count` of them or bytes are left.
[[nodiscard]] std::vector<std::string_view> unpack_bytes(
    std::string_view tensor, std::size_t count, const std::string& place);

/// Appends an element to a BYTES tensor.
void pack_bytes(std::string_view element, std::string& tensor);

}  // namespace penstock::serve
