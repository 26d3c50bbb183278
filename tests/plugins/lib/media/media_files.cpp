#include "tests/plugins/lib/media/media_files.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace penstock::media {

namespace fs = std::filesystem;

fs::path media_folder() {
  // NOLINTBEGIN(concurrency-mt-unsafe)
  if (const char* cache = std::getenv("PENSTOCK_CACHE")) {
    return fs::path(cache) / "media";
  }
  if (const char* xdg = std::getenv("XDG_CACHE_HOME")) {
    return fs::path(xdg) / "penstock/media";
  }
  return fs::path(std::getenv("HOME")) / ".cache/penstock/media";
  // NOLINTEND(concurrency-mt-unsafe)
}

std::vector<fs::path> files(const std::string& folder) {
  std::vector<fs::path> found;
  for (const auto& entry :
       fs::recursive_directory_iterator(media_folder() / folder)) {
    if (entry.is_regular_file()) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string spoilt(std::string bytes, int way, std::mt19937& random) {
  const auto place = [&] { return random() % bytes.size(); };
  if (way == 0) bytes.resize(std::max<std::size_t>(1, place()));
  if (way == 1) bytes.erase(place(), place() % 5000);
  if (way == 2) bytes.resize(1 + random() % 200);
  if (way >= 3) {
    const std::size_t most = way == 3 ? bytes.size() : 512;
    for (int i = 0; i < 20; ++i) {
      char& byte = bytes[random() % std::min(most, bytes.size())];
      byte = static_cast<char>(byte ^ (1 << (random() % 8)));
    }
  }
  return bytes;
}

}  // namespace penstock::media
