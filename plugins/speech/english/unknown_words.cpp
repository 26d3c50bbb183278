#include "speech/english/unknown_words.h"

#include <ATen/ops/empty.h>

#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "lib/openvino/session.h"
#include "penstock/error.h"
#include "penstock/json.h"
#include "penstock/parallel.h"
#include "speech/english/characters.h"

namespace penstock::speech {

struct UnknownWords::Network {
  Network(const std::filesystem::path& model, const std::string& cache)
      : head(read_model_head(model)),
        ports(model_ports(head, {.rows = "none"})),
        session(head, ports,
                {.precision = "fp32", .cache = cache, .threads = 1}) {}
  void read_alphabets(const JsonView& view);
  [[nodiscard]] std::vector<std::int64_t> classes_of(
      const std::vector<std::int64_t>& letters);

  ModelHead head;
  ModelPorts ports;
  openvino::Session session;
  std::mutex mutex;
  std::map<char32_t, std::int64_t> letters;
  std::vector<std::u32string> sounds;  ///< by class, from 1
  std::size_t most = 0;                ///< letters of a word
};

void UnknownWords::Network::read_alphabets(const JsonView& view) {
  for (const JsonView& letter : view.at("in").items()) {
    const std::u32string text = points_of(letter.text());
    if (text.size() != 1) letter.fail("is not one character");
    letters[text[0]] = static_cast<std::int64_t>(letters.size()) + 1;
  }
  for (const JsonView& sound : view.at("out").items()) {
    sounds.push_back(points_of(sound.text()));
  }
  most = static_cast<std::size_t>(view.at("maxlen").integer(1, 1000));
}

std::vector<std::int64_t> UnknownWords::Network::classes_of(
    const std::vector<std::int64_t>& ids) {
  const SerialOps serial;
  const auto size = static_cast<std::int64_t>(ids.size());
  const at::Tensor input = at::empty({1, size}, at::kLong);
  std::copy(ids.begin(), ids.end(), input.mutable_data_ptr<std::int64_t>());
  const std::scoped_lock lock(mutex);
  const at::Tensor out = session.run({input}, {}).at(0);
  if (!out.defined() || out.scalar_type() != at::kLong) {
    throw Error(Code::kData,
                str(head.path.string(), ": its first output is not i64[1,T]"));
  }
  const auto* first = out.const_data_ptr<std::int64_t>();
  return {first, first + out.numel()};
}

UnknownWords::UnknownWords(const std::filesystem::path& model,
                           const std::string& cache)
    : network_(std::make_unique<Network>(model, cache)) {
  if (network_->ports.inputs.size() != 1) {
    throw Error(Code::kData,
                str(model.string(), ": has ", network_->ports.inputs.size(),
                    " inputs, expected the letters alone"));
  }
  std::filesystem::path alphabets = model;
  alphabets.replace_extension(".json");
  const JsonValue json = read_json(alphabets);
  network_->read_alphabets(JsonView(json, alphabets.string()));
}

UnknownWords::~UnknownWords() = default;

std::u32string UnknownWords::operator()(std::u32string_view word) const {
  std::vector<std::int64_t> ids;
  for (const char32_t c : word) {
    const auto found = network_->letters.find(c);
    if (found != network_->letters.end()) ids.push_back(found->second);
    if (ids.size() == network_->most) break;
  }
  std::u32string out;
  if (ids.empty()) return out;
  // One class a place: what stands several times is one sound, 0 is none.
  std::int64_t last = 0;
  for (const std::int64_t id : network_->classes_of(ids)) {
    if (id != last && id > 0 && id <= std::ssize(network_->sounds)) {
      out += network_->sounds[static_cast<std::size_t>(id - 1)];
    }
    last = id;
  }
  return out;
}

}  // namespace penstock::speech
