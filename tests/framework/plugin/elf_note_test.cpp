#include "plugin/elf_note.h"

#include <elf.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "penstock/error.h"

namespace penstock::plugin {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using FileBytes = std::vector<std::byte>;

FileBytes bytes_of(const std::string& text) {
  const auto* start = reinterpret_cast<const std::byte*>(text.data());
  return {start, start + text.size()};
}

FileBytes read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return bytes_of({std::istreambuf_iterator<char>(file), {}});
}

FileBytes fixture(const std::string& name) {
  return read_file(std::string(PENSTOCK_FIXTURE_PLUGINS) +
                   "/broken/libpenstock_" + name + ".so");
}

/// What is wrong with the bytes, or "".
std::string problem_of(const FileBytes& bytes) {
  try {
    static_cast<void>(read_library_note(bytes));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInternal);
    return error.text();
  }
  return {};
}

TEST(ElfNote, ReadsTheTextAndSeesTheEntry) {
  const LibraryNote note = read_library_note(fixture("foreign"));

  EXPECT_THAT(note.text, StartsWith("plugin=foreign;sdk=0.0.1;headers="));
  EXPECT_THAT(note.text, HasSubstr(";libtorch="));
  EXPECT_EQ(note.has_entry, true);
}

TEST(ElfNote, SeesThatTheEntryIsMissing) {
  EXPECT_EQ(read_library_note(fixture("no_entry")).has_entry, false);
}

TEST(ElfNote, HasNoTextWithoutNote) {
  EXPECT_EQ(read_library_note(fixture("no_note")).text, "");
}

TEST(ElfNote, DoesNotKnowTheEntryOfAFileWithoutSectionHeaders) {
  FileBytes bytes = fixture("no_entry");
  const std::uint64_t none = 0;
  std::memcpy(bytes.data() + offsetof(Elf64_Ehdr, e_shoff), &none,
              sizeof(none));

  EXPECT_EQ(read_library_note(bytes).has_entry, std::nullopt);
}

TEST(ElfNote, CallsThisTestAnExecutable) {
  EXPECT_EQ(problem_of(read_file("/proc/self/exe")),
            "it is an executable, not a library");
}

TEST(ElfNote, RefusesTwoNotes) {
  FileBytes bytes = fixture("foreign");
  // The build id's note becomes a second one of ours: GNU, 20 bytes, type 3.
  const auto other = bytes_of({"\4\0\0\0\24\0\0\0\3\0\0\0GNU\0", 16});
  const auto found =
      std::search(bytes.begin(), bytes.end(), other.begin(), other.end());
  ASSERT_NE(found, bytes.end());
  const auto ours =
      bytes_of({"\11\0\0\0\14\0\0\0\1\0\0\0penstock\0\0\0\0two=1;two=2;", 36});
  std::copy(ours.begin(), ours.end(), found);

  EXPECT_EQ(problem_of(bytes), "it has two penstock notes");
}

struct ElfNoteCase {
  std::string name;
  std::string start = {};  ///< the file begins with it
  std::size_t at = 0;      ///< a library with another value here
  std::string value = {};
  std::string want = {};
};
void PrintTo(const ElfNoteCase& c, std::ostream* os) { *os << c.name; }

class ForeignFileTest : public testing::TestWithParam<ElfNoteCase> {};

TEST_P(ForeignFileTest, SaysWhatItIs) {
  const ElfNoteCase& c = GetParam();
  FileBytes bytes = c.value.empty() ? bytes_of(c.start) : fixture("foreign");
  for (std::size_t i = 0; i < c.value.size(); ++i) {
    bytes.at(c.at + i) = static_cast<std::byte>(c.value[i]);
  }

  EXPECT_THAT(problem_of(bytes), HasSubstr(c.want));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ForeignFileTest,
    testing::ValuesIn<ElfNoteCase>({
        {.name = "Empty", .want = "it is an empty file"},
        {.name = "Script", .start = "#!/bin/sh\n", .want = "it is a script"},
        {.name = "Text", .start = "GROUP ( libc.so.6 )", .want = "a text file"},
        {.name = "Archive", .start = "!<arch>\n", .want = "a static library"},
        {.name = "Gguf", .start = "GGUF\3", .want = "a GGUF model file"},
        {.name = "Noise", .start = "\1\2\3", .want = "not an ELF shared"},
        {.name = "MagicOnly", .start = "\177ELF\2\1", .want = "cut short"},
        {.name = "Class32", .at = 4, .value = "\1", .want = "32-bit ELF"},
        {.name = "NoClass", .at = 4, .value = "\7", .want = "unknown class"},
        {.name = "BigEndian", .at = 5, .value = "\2", .want = "big-endian"},
        {.name = "Machine", .at = 18, .value = "\xf3", .want = "for RISC-V"},
        {.name = "Unknown", .at = 18, .value = "\xf0", .want = "number 240"},
        {.name = "Executable",
         .at = 16,
         .value = "\2",
         .want = "it is an executable"},
        {.name = "Object", .at = 16, .value = "\1", .want = "an object file"},
        {.name = "Core", .at = 16, .value = "\4", .want = "not a shared"},
        {.name = "HeaderSize", .at = 54, .value = "\1", .want = "damaged"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(ElfNote, RefusesEveryShorterFile) {
  const FileBytes whole = fixture("foreign");

  for (std::size_t size = 0; size < whole.size(); ++size) {
    // A copy of exactly that size lets ASan see a read past its end.
    const FileBytes part(whole.begin(),
                         whole.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_NE(problem_of(part), "") << "cut to " << size << " bytes";
  }
}

TEST(ElfNote, SurvivesFlippedBytes) {
  const FileBytes whole = fixture("foreign");
  std::mt19937 random(/*seed=*/1);  // NOLINT(cert-msc51-cpp): repeatable

  for (int i = 0; i < 20000; ++i) {
    FileBytes bytes = whole;
    // The headers at the start decide most, so they get half of the flips.
    const std::size_t reach = i % 2 == 0 ? 1024 : bytes.size();
    const std::size_t at = random() % std::min(reach, bytes.size());
    bytes[at] ^= static_cast<std::byte>(1 + random() % 255);
    static_cast<void>(problem_of(bytes));
  }
}

TEST(ElfNote, SurvivesHugeNumbersAnywhere) {
  const FileBytes whole = fixture("foreign");

  for (std::size_t at = 16; at + 8 <= whole.size(); at += 4) {
    FileBytes bytes = whole;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), 8,
                std::byte{0xff});
    static_cast<void>(problem_of(bytes));
  }
}

}  // namespace
}  // namespace penstock::plugin
