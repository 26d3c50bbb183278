#include "heads/zip.h"

#include <algorithm>
#include <concepts>
#include <set>

#include "base/quote.h"
#include "penstock/error.h"

namespace penstock::heads {
namespace {

constexpr std::uint32_t kEntry = 0x02014b50, kMember = 0x04034b50,
                        kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                        kLocator64 = 0x07064b50;
constexpr std::uint64_t kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20,
                        kEntrySize = 46, kMemberSize = 30;
constexpr std::uint64_t kIn64 = 0xFFFFFFFF;  ///< the number is in the extras
constexpr std::uint64_t kMostMembers = 1U << 20U, kLongestName = 1024;

/// Little-endian; `at` was checked.
template <std::unsigned_integral T>
T number(std::string_view bytes, std::uint64_t at) {
  T value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) {
    value = static_cast<T>((static_cast<std::uint64_t>(value) << 8U) |
                           static_cast<unsigned char>(bytes[at + i]));
  }
  return value;
}

bool leaves_folder(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != name.npos ||
      name.find('\0') != name.npos) {
    return true;
  }
  for (std::string_view rest = name; !rest.empty();) {
    const auto end = std::min(rest.find('/'), rest.size());
    if (rest.substr(0, end) == "..") return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

/// A number of an entry that does not fit 32 bits, from the extras: they have
/// those that are kIn64, in order.
class Extras {
 public:
  explicit Extras(std::string_view extras) {
    while (extras.size() >= 4) {
      const auto id = number<std::uint16_t>(extras, 0);
      const std::uint64_t size = number<std::uint16_t>(extras, 2);
      if (size > extras.size() - 4) return;
      if (id == 1) rest_ = extras.substr(4, size);
      extras.remove_prefix(4 + size);
    }
  }
  /// False: it is not there.
  bool widen(std::uint64_t& value) {
    if (value != kIn64) return true;
    if (rest_.size() < 8) return false;
    value = number<std::uint64_t>(rest_, 0);
    rest_.remove_prefix(8);
    return true;
  }

 private:
  std::string_view rest_;
};

}  // namespace

void Zip::fail(const std::string& problem) const {
  throw Error(Code::kData,
              str(source_.name, ": ", problem,
                  "; the archive is damaged or cut off: save or fetch it "
                  "again"));
}

std::string_view Zip::slice(std::uint64_t at, std::uint64_t size,
                            const char* what) const {
  const std::string_view all = source_.bytes;
  if (at > all.size() || size > all.size() - at) {
    fail(str(what, " lies beyond the file's end"));
  }
  return all.substr(at, size);
}

Zip::Directory Zip::directory() const {
  const std::string_view all = source_.bytes;
  const auto at = all.rfind("PK\x05\x06");
  if (at == all.npos || all.size() - at < kEndSize) {
    fail("it has no directory of a zip archive");
  }
  const std::string_view end = all.substr(at);
  if (number<std::uint32_t>(end, 0) != kEnd ||
      number<std::uint16_t>(end, 20) != end.size() - kEndSize) {
    fail("its directory is not the last of it");
  }
  Directory out{.begin = number<std::uint32_t>(end, 16),
                .size = number<std::uint32_t>(end, 12),
                .count = number<std::uint16_t>(end, 10)};
  if (at < kLocatorSize) return out;
  const auto locator = all.substr(at - kLocatorSize, kLocatorSize);
  if (number<std::uint32_t>(locator, 0) != kLocator64) return out;
  const auto wide =
      slice(number<std::uint64_t>(locator, 8), kEnd64Size, "its directory");
  if (number<std::uint32_t>(wide, 0) != kEnd64) {
    fail("its directory is not where it should be");
  }
  return {.begin = number<std::uint64_t>(wide, 48),
          .size = number<std::uint64_t>(wide, 40),
          .count = number<std::uint64_t>(wide, 32)};
}

void Zip::take(std::string_view& rest) {
  if (rest.size() < kEntrySize || number<std::uint32_t>(rest, 0) != kEntry) {
    fail("its directory is shorter than it says");
  }
  const std::string_view entry = rest;
  const std::uint64_t name_size = number<std::uint16_t>(entry, 28);
  const std::uint64_t extra_size = number<std::uint16_t>(entry, 30);
  const std::uint64_t whole =
      kEntrySize + name_size + extra_size + number<std::uint16_t>(entry, 32);
  if (whole > entry.size()) fail("its directory is shorter than it says");
  ZipMember member;
  member.name = entry.substr(kEntrySize, name_size);
  std::uint64_t size = number<std::uint32_t>(entry, 20);
  std::uint64_t unpacked = number<std::uint32_t>(entry, 24);
  std::uint64_t at = number<std::uint32_t>(entry, 42);
  Extras extras(entry.substr(kEntrySize + name_size, extra_size));
  if (!extras.widen(unpacked) || !extras.widen(size) || !extras.widen(at)) {
    fail(str(shown(member.name), " has no size"));
  }
  const auto head = slice(at, kMemberSize, "a member");
  if (number<std::uint32_t>(head, 0) != kMember) {
    fail(str(shown(member.name), " is not where the directory has it"));
  }
  if ((number<std::uint16_t>(entry, 8) & 1U) != 0) {
    fail(str(shown(member.name), " is encrypted"));
  }
  const std::uint64_t begin = at + kMemberSize +
                              number<std::uint16_t>(head, 26) +
                              number<std::uint16_t>(head, 28);
  member.bytes = slice(begin, size, "a member");
  member.is_packed = number<std::uint16_t>(entry, 10) != 0;
  if (!member.is_packed && unpacked != size) {
    fail(str(shown(member.name), " has two sizes"));
  }
  total_ += size;
  members_.push_back(std::move(member));
  rest.remove_prefix(whole);
}

/// Takes the archive's own folder off the names.
void Zip::check_names() {
  const std::string first = members_.front().name;
  const std::string root = first.substr(0, first.find('/') + 1);
  if (root.empty()) fail(str(shown(first), " is in no folder"));
  std::set<std::string> seen;
  for (ZipMember& member : members_) {
    if (member.name.size() > kLongestName || leaves_folder(member.name)) {
      throw Error(Code::kData,
                  str(source_.name, ": its member ", shown(member.name),
                      " would lie outside of the archive's own "
                      "folder; PyTorch writes no such name"));
    }
    if (!member.name.starts_with(root)) {
      fail(str(shown(member.name), " is not in ", shown(root)));
    }
    if (!seen.insert(lower(member.name)).second) {
      fail(str("two members are called ", shown(member.name)));
    }
    member.name.erase(0, root.size());
  }
}

Zip::Zip(const Source& source) : source_(source) {
  const Directory found = directory();
  if (found.count == 0 || found.count > kMostMembers) {
    fail(str("it has ", found.count, " members"));
  }
  std::string_view rest = slice(found.begin, found.size, "its directory");
  while (members_.size() < found.count) take(rest);
  if (total_ > source.bytes.size()) fail("its members lie in each other");
  check_names();
}

const ZipMember* Zip::find(std::string_view name) const {
  const auto at = std::find_if(
      members_.begin(), members_.end(),
      [&](const ZipMember& member) { return member.name == name; });
  return at == members_.end() ? nullptr : &*at;
}

bool Zip::has_folder(std::string_view folder) const {
  return std::any_of(
      members_.begin(), members_.end(),
      [&](const ZipMember& member) { return member.name.starts_with(folder); });
}

std::string_view Zip::need(std::string_view name) const {
  const ZipMember* member = find(name);
  if (member == nullptr) fail(str("it has no ", shown(name)));
  if (member->is_packed) {
    throw Error(Code::kData,
                str(source_.name, ": its member ", shown(name),
                    " is compressed, which PyTorch never does; save it anew "
                    "with torch.export.save"));
  }
  return member->bytes;
}

}  // namespace penstock::heads
