#include "pipeline_check_plugin/library_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include "penstock/error.h"

namespace penstock::check {
namespace {

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path.string()) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << in.rdbuf();
    bytes_ = bytes.str();
    header_ = at<Elf64_Ehdr>(0);
    if (std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0 ||
        header_.e_ident[EI_CLASS] != ELFCLASS64 ||
        header_.e_ident[EI_DATA] != ELFDATA2LSB || header_.e_type != ET_DYN) {
      fail("it is no 64-bit shared library");
    }
  }

  [[nodiscard]] std::vector<Elf64_Shdr> sections() const {
    std::vector<Elf64_Shdr> all;
    for (std::uint64_t i = 0; i < header_.e_shnum; ++i) {
      all.push_back(at<Elf64_Shdr>(header_.e_shoff + i * header_.e_shentsize));
    }
    return all;
  }

  /// The entries of a table that is a section.
  template <class T>
  [[nodiscard]] std::vector<T> table(const Elf64_Shdr& section) const {
    if (section.sh_size > bytes_.size()) fail("a section is longer than it");
    std::vector<T> all;
    for (std::uint64_t i = 0; i + sizeof(T) <= section.sh_size;
         i += sizeof(T)) {
      all.push_back(at<T>(section.sh_offset + i));
    }
    return all;
  }

  [[nodiscard]] std::string text(const Elf64_Shdr& strings,
                                 std::uint64_t offset) const {
    if (strings.sh_offset > bytes_.size() ||
        strings.sh_size > bytes_.size() - strings.sh_offset ||
        offset >= strings.sh_size) {
      fail("a name lies outside of it");
    }
    const std::string_view all(bytes_.data() + strings.sh_offset,
                               strings.sh_size);
    const auto end = all.find('\0', offset);
    return std::string(all.substr(offset, end - offset));
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw Error(Code::kData, str(path_, " cannot be read: ", why));
  }

 private:
  template <class T>
  [[nodiscard]] T at(std::uint64_t offset) const {
    if (offset > bytes_.size() || sizeof(T) > bytes_.size() - offset) {
      fail("it ends too early");
    }
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }

  std::string path_;
  std::string bytes_;
  Elf64_Ehdr header_{};
};

void read_symbols(const Reader& reader, const Elf64_Shdr& table,
                  const Elf64_Shdr& strings, LibraryFile& file) {
  for (const auto& symbol : reader.table<Elf64_Sym>(table)) {
    const auto binding = ELF64_ST_BIND(symbol.st_info);
    if (symbol.st_shndx == SHN_UNDEF || binding == STB_LOCAL ||
        ELF64_ST_VISIBILITY(symbol.st_other) != STV_DEFAULT) {
      continue;
    }
    const std::string name = reader.text(strings, symbol.st_name);
    if (binding == STB_GNU_UNIQUE) file.unique.push_back(name);
    if (binding == STB_GLOBAL) file.exported.push_back(name);
  }
}

void read_dynamic(const Reader& reader, const Elf64_Shdr& table,
                  const Elf64_Shdr& strings, LibraryFile& file) {
  for (const auto& entry : reader.table<Elf64_Dyn>(table)) {
    if (entry.d_tag == DT_NULL) return;
    if (entry.d_tag == DT_NEEDED) {
      file.needed.push_back(reader.text(strings, entry.d_un.d_val));
    }
    if (entry.d_tag != DT_RUNPATH && entry.d_tag != DT_RPATH) continue;
    const std::string text = reader.text(strings, entry.d_un.d_val);
    for (std::size_t from = 0; from <= text.size();) {
      const auto to = std::min(text.find(':', from), text.size());
      file.run_path.push_back(text.substr(from, to - from));
      from = to + 1;
    }
  }
}

}  // namespace

LibraryFile read_library(const std::filesystem::path& path) {
  const Reader reader(path);
  const auto sections = reader.sections();
  LibraryFile file;
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_DYNSYM && section.sh_type != SHT_DYNAMIC) {
      continue;
    }
    if (section.sh_link >= sections.size()) reader.fail("a table has no names");
    const Elf64_Shdr& strings = sections[section.sh_link];
    if (section.sh_type == SHT_DYNSYM) {
      read_symbols(reader, section, strings, file);
    } else {
      read_dynamic(reader, section, strings, file);
    }
  }
  return file;
}

}  // namespace penstock::check
