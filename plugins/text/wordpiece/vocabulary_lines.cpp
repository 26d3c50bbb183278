// vocab.txt: a token a line, its id is the number of the line.
#include <array>
#include <fstream>

#include "penstock/error.h"
#include "penstock/json.h"
#include "penstock/text.h"
#include "text/wordpiece/vocabulary.h"

namespace penstock::text {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20U;
constexpr std::size_t kMostLine = 4096;

std::string read_whole(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) {
    throw Error(Code::kNotFound,
                str("the vocabulary '", path.string(), "' cannot be opened"));
  }
  if (size > kMostBytes) {
    throw Error(Code::kData, str(path.string(), ": it has ", size,
                                 " bytes; the most is ", kMostBytes));
  }
  std::string text(size, '\0');
  file.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

/// What tokenizer_config.json beside the vocabulary says; else true, as BERT.
bool is_lower_case(const std::filesystem::path& vocabulary) {
  const auto path = vocabulary.parent_path() / "tokenizer_config.json";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return true;
  const JsonValue json = read_json(path);
  const auto said = JsonView(json, path.string()).find("do_lower_case");
  return !said || said->boolean();
}

void add_lines(VocabularyMaker& maker, std::string_view text) {
  std::int64_t id = 0;
  while (!text.empty()) {
    const std::string where = str("line ", id + 1);
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.size() > kMostLine) {
      maker.fail(str(where, " has ", line.size(),
                     " bytes, expected a token of ", kMostLine, " at most"));
    }
    if (invalid_utf8(line)) {
      maker.fail(str(where,
                     " is not UTF-8; expected a vocab.txt, one token a "
                     "line, or a file that ends in .json"));
    }
    maker.add(std::string(without_end_blanks(line)), id++, where);
  }
}

}  // namespace

WordPieceVocabulary read_wordpiece_lines(const std::filesystem::path& path) {
  VocabularyMaker maker(path.string(), "##");
  add_lines(maker, read_whole(path));
  maker.sort();
  WordPieceVocabulary& made = maker.made();
  made.rules.lower = made.rules.strip_accents = is_lower_case(path);
  made.unknown = maker.id_of("[UNK]", "which unknown words become");
  made.before = {maker.id_of("[CLS]", "which begins a text")};
  made.after = {maker.id_of("[SEP]", "which ends a text")};
  for (const char* const text :
       {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    const std::int64_t id = maker.find(text);
    if (id >= 0) maker.add_whole(text, id, /*is_normalized=*/false, text);
  }
  made.padding = std::max<std::int64_t>(0, maker.find("[PAD]"));
  return maker.take();
}

}  // namespace penstock::text
