#include "config/source_text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

#include "base/quote.h"
#include "penstock/text.h"

namespace penstock::config {
namespace {

constexpr std::size_t kLargest = 1 << 20;

Mark mark_of(std::string_view text, std::size_t at) {
  Mark mark;
  for (const char c : text.substr(0, at)) {
    if (c == '\n') {
      ++mark.line;
      mark.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++mark.column;
    }
  }
  return mark;
}

std::string read_some(const std::filesystem::path& path, Problems& problems) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    problems.add_whole(str("cannot be read: ", std::strerror(errno)));
    return "";
  }
  std::string text(kLargest + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace

std::string read_source(const std::filesystem::path& path, Problems& problems) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw Error(Code::kNotFound,
                str("no pipeline file ", shown(path.string())));
  }
  if (std::filesystem::is_directory(status)) {
    problems.add_whole("is a folder, expected a pipeline file");
    problems.throw_if_any();
  }
  std::string text = read_some(path, problems);
  problems.throw_if_any();
  if (text.size() > kLargest) {
    problems.add({}, "larger than 1 MiB, the limit of a pipeline file");
    problems.throw_if_any();
  }
  if (const auto at = invalid_utf8(text)) {
    problems.add(mark_of(text, *at), "not UTF-8");
  }
  if (const auto at = text.find('\0'); at != text.npos) {
    problems.add(mark_of(text, at), "a NUL byte; expected text");
  }
  problems.throw_if_any();
  return text;
}

}  // namespace penstock::config
