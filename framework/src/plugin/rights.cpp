#include "plugin/rights.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iomanip>
#include <sstream>
#include <system_error>

#include "penstock/error.h"

namespace penstock::plugin {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNameBuffer = 4096;
constexpr int kMaxLinks = 40;  // the kernel's own limit

std::string user_name(uid_t user) {
  std::array<char, kNameBuffer> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? str("number ", user)
                          : str("'", found->pw_name, "'");
}

std::string group_name(gid_t group) {
  std::array<char, kNameBuffer> buffer{};
  struct group entry {};
  struct group* found = nullptr;
  getgrgid_r(group, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? str("number ", group)
                          : str("'", found->gr_name, "'");
}

std::string octal(mode_t mode) {
  std::ostringstream out;
  out << std::oct << std::setw(4) << std::setfill('0') << (mode & 07777U);
  return out.str();
}

/// As a shell takes it, so that the command can be pasted.
std::string shell_quoted(const std::string& path) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,";
  if (path.find_first_not_of(kPlain) == std::string::npos) return path;
  std::string quoted = "'";
  for (const char c : path) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

Rights rights_of(const fs::path& path) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) {
    throw Error(Code::kInternal,
                str("cannot read the rights of ", path.string(), ": ",
                    std::generic_category().message(errno)));
  }
  return {.path = path,
          .mode = facts.st_mode,
          .owner = facts.st_uid,
          .group = facts.st_gid};
}

/// Of a canonical path and all above it, of which the first `own` are kOwn.
std::string problem_upwards(fs::path path, int own) {
  const Person person = Person::current();
  for (;; path = path.parent_path(), --own) {
    const Place place = own > 0 ? Place::kOwn : Place::kAbove;
    std::string problem = rights_problem(rights_of(path), place, person);
    if (!problem.empty() || path == path.root_path()) return problem;
  }
}

}  // namespace

Person Person::current() { return {.user = geteuid(), .group = getegid()}; }

std::string rights_problem(const Rights& rights, Place place,
                           const Person& person) {
  const std::string path = rights.path.string();
  const std::string mode = str(" (mode ", octal(rights.mode), ")");
  const auto mend = [&path](const std::string& change) {
    return str("; if you trust what is there: ", change, " ",
               shell_quoted(path));
  };
  // In a sticky folder nobody can replace what belongs to another.
  const bool is_sticky = S_ISDIR(rights.mode) && (rights.mode & S_ISVTX) != 0;
  if (place == Place::kOwn || !is_sticky) {
    if ((rights.mode & S_IWOTH) != 0) {
      return str(path, " can be written by everyone", mode, mend("chmod o-w"));
    }
    const bool is_own_group = rights.group == person.group || rights.group == 0;
    if ((rights.mode & S_IWGRP) != 0 && !is_own_group) {
      return str(path, " can be written by the group ",
                 group_name(rights.group), mode, ", which is not yours",
                 mend("chmod g-w"));
    }
  }
  const bool is_trusted = rights.owner == 0 || rights.owner == person.user;
  if (place == Place::kOwn && !is_trusted) {
    return str(path, " belongs to the user ", user_name(rights.owner), mode,
               ", neither to you nor to root", mend("chown \"$(id -u)\""));
  }
  return {};
}

std::string rights_problem(const fs::path& library) {
  fs::path path =
      fs::canonical(fs::absolute(library).parent_path()) / library.filename();
  for (int links = 0; fs::is_symlink(path) && links < kMaxLinks; ++links) {
    std::string problem = problem_upwards(path.parent_path(), /*own=*/1);
    if (!problem.empty()) return problem;
    const fs::path target = path.parent_path() / fs::read_symlink(path);
    path = fs::canonical(target.parent_path()) / target.filename();
  }
  return problem_upwards(fs::canonical(path), /*own=*/2);
}

}  // namespace penstock::plugin
