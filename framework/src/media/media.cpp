#include "penstock/media.h"

#include <filesystem>
#include <fstream>

#include "penstock/models.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;

/// "https://x": everything before "://" is letters.
bool is_url(const std::string& name) {
  const auto at = name.find("://");
  return at != std::string::npos && at > 0 && name.find('/') > at;
}

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw Error(Code::kData, str("'", name, "' ", what));
}

void check_size(const std::string& name, std::int64_t size, std::int64_t most) {
  if (size == 0) refuse(name, "is empty");
  if (size > most) {
    refuse(name, str("has ", size, " bytes; at most ", most, " are read"));
  }
}

std::string read_file(const std::string& path, std::int64_t most) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error(Code::kNotFound, str("'", path, "' cannot be opened"));
  }
  const auto size = static_cast<std::int64_t>(fs::file_size(path));
  check_size(path, size, most);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (!file.read(bytes.data(), size)) refuse(path, "cannot be read");
  return bytes;
}

}  // namespace

Media media_input(const Request& request, const std::string& name) {
  const auto found = request.inputs.find(name);
  if (found == request.inputs.end()) {
    throw Error(Code::kData, str("the request has no input '", name, "'"));
  }
  if (const auto* media = std::get_if<Media>(&found->second)) return *media;
  if (const auto* text = std::get_if<std::string>(&found->second)) {
    Media media;
    media.name = *text;
    return media;
  }
  throw Error(Code::kData, str("input '", name, "' must be a file"));
}

std::string media_path(const Media& media) {
  const std::string& name = media.name;
  std::error_code error;
  const auto status = fs::status(name, error);
  if (fs::is_regular_file(status)) return name;
  if (fs::is_directory(status)) {
    refuse(name, "is a folder; name the files in it");
  }
  if (fs::exists(status)) refuse(name, "is not a regular file");
  if (is_url(name)) refuse(name, "is a URL; only local files are read");
  const fs::path fetched = cache_folder() / "media" / name;
  const bool is_plain = !name.empty() && name.find("..") == std::string::npos;
  if (is_plain && fs::is_regular_file(fetched, error)) return fetched.string();
  throw Error(Code::kNotFound,
              str("there is no file '", name,
                  "', nor is it one that tools/media has fetched"));
}

std::shared_ptr<const std::string> read_media(const Media& media,
                                              std::int64_t most) {
  if (media.bytes != nullptr) {
    check_size(media.name, static_cast<std::int64_t>(media.bytes->size()),
               most);
    return media.bytes;
  }
  return std::make_shared<const std::string>(
      read_file(media_path(media), most));
}

}  // namespace penstock
