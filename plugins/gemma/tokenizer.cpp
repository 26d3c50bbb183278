#include "gemma/tokenizer.h"

#include <sentencepiece_processor.h>

#include <array>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "gemma/checkpoint.h"
#include "gemma/vocabulary.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::gemma {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostBytes = 64U << 20U;
constexpr std::int64_t kUnknownId = -1;

/// Those of them that a vocabulary has.
constexpr std::array<const char*, 17> kControlWords{
    "<bos>", "<eos>", "<pad>", "<unk>", "<mask>", "<start_of_turn>",
    "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<image_soft_token>",
    // FunctionGemma's.
    "<start_function_declaration>", "<end_function_declaration>",
    "<start_function_call>", "<end_function_call>", "<start_function_response>",
    "<end_function_response>", "<escape>"};

bool begins_as_gguf(const fs::path& path) {
  std::array<char, 4> magic{};
  std::ifstream(path, std::ios::binary).read(magic.data(), magic.size());
  return std::string_view(magic.data(), magic.size()) == "GGUF";
}

/// A tokenizer.model's bytes.
Vocabulary read_model(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw Error(Code::kNotFound, str("cannot read '", path.string(), "'"));
  }
  if (fs::is_regular_file(path) && fs::file_size(path) > kMostBytes) {
    throw Error(Code::kData, str("'", path.string(),
                                 "' is larger than any "
                                 "tokenizer.model (",
                                 kMostBytes >> 20U, " MiB)"));
  }
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return {.model = bytes.str(), .bos = kUnknownId};
}

/// What a folder's tokenizer_config.json says.
bool adds_bos(const fs::path& config) {
  if (!fs::exists(config)) return true;
  const JsonValue parsed = read_json(config);
  const auto said = JsonView(parsed, config.string()).find("add_bos_token");
  return !said || said->boolean();
}

/// Of a model's folder; tokenizer.model is what the others are made from.
Vocabulary read_folder(const fs::path& folder) {
  Vocabulary vocabulary;
  if (fs::exists(folder / "tokenizer.model")) {
    vocabulary = read_model(folder / "tokenizer.model");
  } else if (fs::exists(folder / "tokenizer.json")) {
    vocabulary = read_vocabulary(folder / "tokenizer.json");
  } else {
    throw Error(Code::kNotFound,
                str("'", folder.string(),
                    "' has neither tokenizer.model nor tokenizer.json"));
  }
  if (fs::exists(folder / "config.json")) {
    vocabulary.context_length = read_config(folder).context;
  }
  vocabulary.adds_bos = adds_bos(folder / "tokenizer_config.json");
  return vocabulary;
}

Vocabulary read(const fs::path& path) {
  if (begins_as_gguf(path)) return read_vocabulary(WeightFile::open(path));
  if (path.extension() == ".safetensors") {
    return read_folder(path.parent_path());
  }
  if (path.extension() == ".json") return read_vocabulary(path);
  if (!fs::is_directory(path)) return read_model(path);
  if (fs::exists(path / "tokenizer.model") ||
      fs::exists(path / "tokenizer.json")) {
    return read_folder(path);
  }
  const WeightFile file = WeightFile::open(path);
  return is_gguf(file) ? read_vocabulary(file) : read_folder(path);
}

void load(const std::string& model, const fs::path& path,
          sentencepiece::SentencePieceProcessor& processor) {
  std::string why;
  try {
    const auto status = processor.LoadFromSerializedProto(model);
    if (status.ok()) return;
    why = status.message();
  } catch (const std::exception& error) {  // a piece that it cannot index
    why = error.what();
  }
  throw Error(Code::kData, str("'", path.filename().string(),
                               "' holds no usable tokenizer: ", why));
}

}  // namespace

struct Tokenizer::Impl {
  sentencepiece::SentencePieceProcessor processor;
  std::vector<ControlWord> control_words;
  std::int64_t bos = 2;
  std::int64_t context_length = 0;
  bool adds_bos = true, adds_space = false;
};

Tokenizer::Tokenizer(std::unique_ptr<const Impl> impl)
    : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

std::shared_ptr<const Tokenizer> Tokenizer::open(const fs::path& path) {
  auto impl = std::make_unique<Impl>();
  const Vocabulary vocabulary = read(path);
  load(vocabulary.model, path, impl->processor);
  impl->bos = vocabulary.bos;
  if (impl->bos == kUnknownId) impl->bos = impl->processor.bos_id();
  if (impl->bos < 0) impl->bos = impl->processor.PieceToId("<bos>");
  impl->context_length = vocabulary.context_length;
  impl->adds_bos = vocabulary.adds_bos;
  impl->adds_space = vocabulary.adds_space;
  for (const char* word : kControlWords) {
    const int id = impl->processor.PieceToId(word);
    if (impl->processor.IdToPiece(id) == word) {
      impl->control_words.push_back({.spelling = word, .id = id});
    }
  }
  return std::shared_ptr<const Tokenizer>(new Tokenizer(std::move(impl)));
}

Tokens Tokenizer::encode(std::string_view text) const {
  std::vector<int> ids;
  const auto status = impl_->processor.Encode(
      absl::string_view(text.data(), text.size()), &ids);
  if (!status.ok()) {
    throw Error(Code::kInternal, str("cannot tokenize: ", status.message()));
  }
  return {ids.begin(), ids.end()};
}

const std::vector<Tokenizer::ControlWord>& Tokenizer::control_words() const {
  return impl_->control_words;
}

Tokenizer::Piece Tokenizer::piece(std::int64_t id) const {
  const auto& processor = impl_->processor;
  const int index = static_cast<int>(id);
  if (id < 0 || id >= size() || processor.IsControl(index)) return {};
  const std::string& spelled = processor.IdToPiece(index);
  if (processor.IsByte(index)) {  // <0xHH>
    const auto value = std::stoul(spelled.substr(3, 2), nullptr, 16);
    return {.kind = Kind::kByte,
            .text = std::string(1, static_cast<char>(value))};
  }
  // What sentencepiece prints for the unknown piece.
  if (processor.IsUnknown(index)) {
    return {.kind = Kind::kText, .text = " \xE2\x81\x87 "};
  }
  std::string text;
  constexpr std::string_view kSpace = "\xE2\x96\x81";
  for (std::size_t at = 0; at < spelled.size();) {
    if (spelled.compare(at, kSpace.size(), kSpace) == 0) {
      text += ' ';
      at += kSpace.size();
    } else {
      text += spelled[at++];
    }
  }
  return {.kind = Kind::kText, .text = std::move(text)};
}

const std::string& Tokenizer::spelling(std::int64_t id) const {
  if (id < 0 || id >= size()) {
    throw Error(Code::kData, str("token id ", id,
                                 " is not in the vocabulary "
                                 "of ",
                                 size()));
  }
  return impl_->processor.IdToPiece(static_cast<int>(id));
}

std::int64_t Tokenizer::size() const { return impl_->processor.GetPieceSize(); }
std::int64_t Tokenizer::bos() const { return impl_->bos; }
bool Tokenizer::adds_bos() const { return impl_->adds_bos; }
bool Tokenizer::adds_space() const { return impl_->adds_space; }
std::int64_t Tokenizer::context_length() const { return impl_->context_length; }

}  // namespace penstock::gemma
