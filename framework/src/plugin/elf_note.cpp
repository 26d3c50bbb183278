#include "plugin/elf_note.h"

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "penstock/error.h"
#include "plugin/foreign_file.h"

namespace penstock::plugin {

namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#else
#error "plugins are supported on x86-64 and AArch64"
#endif

constexpr std::string_view kOwner("penstock\0", 9);
constexpr std::string_view kEntry("penstock_plugin\0", 16);
constexpr Elf64_Word kAbiNote = 1;
constexpr std::size_t kMaxText = 4096;

[[noreturn]] void fail(const std::string& problem) {
  throw Error(Code::kInternal, problem);
}

/// The bytes of a file, or of a part of it, with every access checked.
class Bytes {
 public:
  Bytes(std::span<const std::byte> bytes, std::string_view what)
      : bytes_(bytes), what_(what) {}

  [[nodiscard]] Bytes part(std::uint64_t offset, std::uint64_t size,
                           std::string_view what) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) {
      fail(str("it is cut short or damaged: ", what, " should be bytes ",
               offset, " to ", offset, " + ", size, " of ", what_,
               ", which has ", bytes_.size()));
    }
    return {bytes_.subspan(offset, size), what};
  }

  /// A copy: nothing in a file need be aligned.
  template <class T>
  [[nodiscard]] T get(std::uint64_t offset, std::string_view what) const {
    T value{};
    std::memcpy(&value, part(offset, sizeof(T), what).bytes_.data(), sizeof(T));
    return value;
  }

  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
  [[nodiscard]] std::string_view text() const {
    // Looking at bytes as characters is what char pointers may do.
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

 private:
  std::span<const std::byte> bytes_;
  std::string_view what_;
};

void check_header(const Elf64_Ehdr& header) {
  if (header.e_machine != kMachine) {
    fail(str("it is an ELF file for ", machine_name(header.e_machine),
             "; this program runs on ", machine_name(kMachine)));
  }
  if (header.e_type == ET_EXEC) fail("it is an executable, not a library");
  if (header.e_type == ET_REL)
    fail("it is an object file, not a linked library");
  if (header.e_type != ET_DYN)
    fail("it is an ELF file, but not a shared library");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == PN_XNUM) {
    fail("it is damaged: its program headers have an unknown size");
  }
}

void take_text(std::string_view text, LibraryNote& note) {
  const bool is_text = std::all_of(text.begin(), text.end(),
                                   [](char c) { return c >= ' ' && c <= '~'; });
  if (text.empty() || text.size() > kMaxText || !is_text) {
    fail("it is damaged: its penstock note is not a line of text");
  }
  if (!note.text.empty()) fail("it has two penstock notes");
  note.text = text;
}

std::uint64_t padded(std::uint64_t size, std::uint64_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

void read_notes(const Bytes& notes, std::uint64_t alignment,
                LibraryNote& note) {
  std::uint64_t at = 0;
  while (at < notes.size()) {
    const auto header = notes.get<Elf64_Nhdr>(at, "a note");
    const std::uint64_t name_at = at + sizeof(header);
    const Bytes name = notes.part(name_at, header.n_namesz, "a note's owner");
    const std::uint64_t text_at =
        at + padded(sizeof(header) + header.n_namesz, alignment);
    const Bytes text = notes.part(text_at, header.n_descsz, "a note's text");
    if (name.text() == kOwner && header.n_type == kAbiNote) {
      take_text(text.text(), note);
    }
    at = text_at + padded(header.n_descsz, alignment);
  }
}

void read_segments(const Bytes& file, const Elf64_Ehdr& header,
                   LibraryNote& note) {
  const Bytes table = file.part(
      header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr),
      "the program headers");
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment =
        table.get<Elf64_Phdr>(i * sizeof(Elf64_Phdr), "a program header");
    if (segment.p_type == PT_INTERP) fail("it is an executable, not a library");
    if (segment.p_type != PT_LOAD && segment.p_type != PT_NOTE) continue;
    // A segment that the file does not hold would end dlopen with SIGBUS.
    const Bytes content =
        file.part(segment.p_offset, segment.p_filesz, "a segment");
    if (segment.p_type == PT_NOTE) {
      read_notes(content, segment.p_align == 8 ? 8 : 4, note);
    }
  }
}

bool exports_entry(const Bytes& symbols, const Bytes& names) {
  const std::uint64_t count = symbols.size() / sizeof(Elf64_Sym);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto symbol =
        symbols.get<Elf64_Sym>(i * sizeof(Elf64_Sym), "a symbol");
    const std::string_view all = names.text();
    if (symbol.st_shndx != SHN_UNDEF && symbol.st_name < all.size() &&
        all.substr(symbol.st_name).starts_with(kEntry)) {
      return true;
    }
  }
  return false;
}

/// By the section headers, which a stripped library may lack.
std::optional<bool> find_entry(const Bytes& file, const Elf64_Ehdr& header) {
  if (header.e_shoff == 0 || header.e_shentsize != sizeof(Elf64_Shdr)) {
    return std::nullopt;
  }
  const Bytes table = file.part(
      header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr),
      "the section headers");
  const auto section = [&table](std::uint64_t index) {
    return table.get<Elf64_Shdr>(index * sizeof(Elf64_Shdr),
                                 "a section header");
  };
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr symbols = section(i);
    if (symbols.sh_type != SHT_DYNSYM) continue;
    const Elf64_Shdr names = section(symbols.sh_link);
    return exports_entry(
        file.part(symbols.sh_offset, symbols.sh_size, "the symbols"),
        file.part(names.sh_offset, names.sh_size, "the symbols' names"));
  }
  return std::nullopt;
}

}  // namespace

LibraryNote read_library_note(std::span<const std::byte> bytes) {
  const Bytes file(bytes, "the file");
  const std::string foreign = describe_foreign_file(file.text());
  if (!foreign.empty()) fail("it is " + foreign);
  const auto header = file.get<Elf64_Ehdr>(/*offset=*/0, "the ELF header");
  check_header(header);
  LibraryNote note;
  read_segments(file, header, note);
  note.has_entry = find_entry(file, header);
  return note;
}

}  // namespace penstock::plugin
