// A plugin runs with the rights of whoever starts the program. So neither it
// nor a folder above it may be changeable by somebody else.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace penstock::plugin {

/// Who runs the program.
struct Person {
  uid_t user = 0;
  gid_t group = 0;

  /// The effective user and group of this process.
  [[nodiscard]] static Person current();
};

/// What lstat says of one path.
struct Rights {
  std::filesystem::path path;
  mode_t mode = 0;
  uid_t owner = 0;
  gid_t group = 0;
};

enum class Place {
  kOwn,    ///< the library, or the folder that holds it
  kAbove,  ///< a folder further up: may be sticky, like /tmp, and anybody's
};

/// Why `rights` let somebody else change what `person` would run, with the
/// command that mends it; empty: they do not.
[[nodiscard]] std::string rights_problem(const Rights& rights, Place place,
                                         const Person& person);

/// The first problem of a library, its folder and the folders above; where the
/// path goes through links to files, also of the folders that hold the links.
/// Throws std::filesystem::filesystem_error when the path leads nowhere.
[[nodiscard]] std::string rights_problem(const std::filesystem::path& library);

}  // namespace penstock::plugin
