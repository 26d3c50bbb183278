// Bodies that a client has packed: Content-Encoding of a request.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace penstock::serve {

/// The bytes that `packed`, one gzip file or several end to end (RFC 1952),
/// stands for. Throws HttpError 400 for what is none, 413 where they are more
/// than `most`: it stops there, whatever the rest would become.
[[nodiscard]] std::string gunzip(std::string_view packed, std::size_t most);

/// The same by the words of a Content-Encoding: gzip, x-gzip, deflate (zlib's
/// format, as RFC 9110 has it), identity or none. Throws HttpError 415 for
/// others, and for several.
[[nodiscard]] std::string unpacked(std::string_view coding, std::string packed,
                                   std::size_t most);

}  // namespace penstock::serve
