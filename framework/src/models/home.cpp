#include "models/home.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace penstock {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

std::filesystem::path home_folder() {
  if (const auto home = environment("HOME"); !home.empty()) return home;
  std::array<char, 16384> room{};
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(getuid(), &entry, room.data(), room.size(), &found);
  if (found != nullptr && found->pw_dir != nullptr && *found->pw_dir != 0) {
    return found->pw_dir;
  }
  return "/";
}

}  // namespace penstock
