#include "speech/english/voice_files.h"

#include <zlib.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "penstock/error.h"
#include "penstock/json.h"
#include "penstock/parallel.h"
#include "speech/english/characters.h"
#include "speech/english/unknown_words.h"

namespace penstock::speech {
namespace {

namespace fs = std::filesystem;

constexpr JsonLimits kFileLimits{
    .bytes = std::size_t{64} << 20U, .depth = 16, .values = 4'000'000};

JsonValue json_of(const fs::path& path) {
  return parse_json(unpacked(path, kFileLimits.bytes), path.string(),
                    kFileLimits);
}

/// A T of the file's JSON, or of what `read` makes of that.
template <class T, class Read>
T made_of(const fs::path& path, const Read& read) {
  const JsonValue json = json_of(path);
  return T(read(JsonView(json, path.string())));
}
template <class T>
T made_of(const fs::path& path) {
  return made_of<T>(
      path, [](const JsonView& view) -> const JsonView& { return view; });
}

std::string lexicon_name(Accent accent, const char* part) {
  const char* const of = accent == Accent::kBritish ? "gb" : "us";
  return std::string("lexicon_") + of + "_" + part + ".json.gz";
}

std::string network_name(Accent accent) {
  return accent == Accent::kBritish ? "oov_gb.onnx" : "oov.onnx";
}

}  // namespace

std::string unpacked(const fs::path& path, std::size_t most) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(
      gzopen(path.c_str(), "rb"), gzclose);
  if (!file) {
    throw Error(Code::kNotFound,
                str("'", path.string(),
                    "' is not here; it belongs beside the voice's model, as "
                    "tools/models fetches it"));
  }
  std::string out;
  std::array<char, 1 << 16> piece{};
  while (true) {
    const int size = gzread(file.get(), piece.data(), piece.size());
    int code = Z_OK;
    (void)gzerror(file.get(), &code);
    // What ends too early is an error only once its end is reached.
    if (size < 0 || (code != Z_OK && code != Z_STREAM_END)) {
      throw Error(Code::kData, path.string() + ": its gzip data is damaged");
    }
    if (size == 0) return out;
    out.append(piece.data(), static_cast<std::size_t>(size));
    if (out.size() > most) {
      throw Error(Code::kData,
                  str(path.string(), ": holds more than ", most, " bytes"));
    }
  }
}

English read_english(const fs::path& folder, Accent accent,
                     const std::string& cache) {
  std::shared_ptr<const UnknownWords> network;
  std::optional<Tagger> tagger;
  std::optional<Dictionary> good;
  std::optional<Dictionary> fair;
  // What takes tenths of a second, at the same time.
  const std::vector<std::function<void()>> long_ones{
      [&] {
        network = std::make_shared<const UnknownWords>(
            folder / network_name(accent), cache);
      },
      [&] { tagger = made_of<Tagger>(folder / "tagger.json.gz"); },
      [&] {
        good = made_of<Dictionary>(folder / lexicon_name(accent, "gold"));
      },
      [&] {
        fair = made_of<Dictionary>(folder / lexicon_name(accent, "silver"));
      }};
  parallel_for(std::ssize(long_ones), 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (auto i = begin; i < end; ++i) {
                   long_ones[static_cast<std::size_t>(i)]();
                 }
               });
  return English(
      {.normalizer =
           made_of<Normalizer>(folder / "normalize.json", read_word_tables),
       .tokenizer = made_of<Tokenizer>(folder / "tokenizer_exceptions.json"),
       .tagger = *std::move(tagger),
       .lexicon = Lexicon(*std::move(good), *std::move(fair),
                          accent == Accent::kBritish),
       .unknown_word = [network](std::u32string_view word) {
         return (*network)(word);
       }});
}

Sentences read_sentences(const fs::path& folder) {
  const JsonValue json = json_of(folder / "normalize.json");
  const JsonView view(json, (folder / "normalize.json").string());
  std::set<std::u32string> titles;
  for (const auto& [title, name] : view.at("titles").members()) {
    titles.insert(points_of(title));
  }
  return Sentences(std::move(titles));
}

std::int64_t english_bytes(const fs::path& folder, Accent accent) {
  std::int64_t out = 0;
  for (const std::string& name :
       {lexicon_name(accent, "gold"), lexicon_name(accent, "silver"),
        network_name(accent), std::string("tagger.json.gz"),
        std::string("normalize.json"),
        std::string("tokenizer_exceptions.json")}) {
    std::error_code error;
    const auto size = fs::file_size(folder / name, error);
    if (error) return 0;
    out += static_cast<std::int64_t>(size);
  }
  return out;
}

}  // namespace penstock::speech
