#include "pipeline_run/input/files.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>

namespace penstock::run {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = std::size_t{1} << 30U;

/// ".JPG" as "jpg".
std::string ending_of(const fs::path& path) {
  std::string ending = path.extension().string();
  if (!ending.empty()) ending.erase(0, 1);
  for (char& c : ending) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return ending;
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with(".");
}

std::string names(const std::vector<Port>& ports) {
  std::string out;
  for (const Port& port : ports) out += (out.empty() ? "" : ", ") + port.name;
  return out;
}

/// The bytes of stdin, as they come.
class StdinSource final : public Source {
 public:
  explicit StdinSource(const Stop& stop) : stop_(stop) {}

  std::optional<Value> read() override {
    auto piece = bytes();
    if (!piece) return std::nullopt;
    return Value(std::move(*piece));
  }
  /// Nothing: the end.
  std::optional<std::string> bytes() {
    std::array<pollfd, 2> wait{pollfd{STDIN_FILENO, POLLIN, 0},
                               pollfd{stop_.descriptor(), POLLIN, 0}};
    for (;;) {
      (void)poll(wait.data(), wait.size(), /*timeout=*/-1);
      if (stop_.is_requested()) throw Cancelled();
      const ssize_t count = ::read(STDIN_FILENO, block_.data(), block_.size());
      if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (count < 0) throw Error(Code::kRetry, "cannot read stdin");
      if (count == 0) return std::nullopt;
      return std::string(block_.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  const Stop& stop_;
  std::array<char, 1 << 16> block_{};
};

}  // namespace

std::vector<Port> media_ports(const PipelineFile& file) {
  std::vector<Port> ports;
  for (const StageConfig& stage : file.preprocess) {
    for (const Port& port : stage.spec->inputs) {
      if (port.dtype == "media") ports.push_back(port);
    }
  }
  return ports;
}

std::vector<Port> media_ports(const CompositionFile& file) {
  std::vector<Port> ports;
  for (const StepConfig& step : file.steps) {
    for (Port port : media_ports(step.file)) {
      const auto edge = step.in.find(port.name);
      if (edge != step.in.end()) port.name = edge->second.input;
      const bool is_asked =
          edge == step.in.end() ? step.in.empty() : !port.name.empty();
      const bool is_new = std::none_of(
          ports.begin(), ports.end(),
          [&](const Port& known) { return known.name == port.name; });
      if (is_asked && is_new) ports.push_back(std::move(port));
    }
  }
  return ports;
}

Port only_media_port(const std::vector<Port>& ports, const std::string& word) {
  if (ports.size() == 1) return ports.front();
  if (ports.empty()) {
    throw Error(Code::kUsage, "'" + word +
                                  "' is not understood; for text use --text "
                                  "\"" +
                                  word + "\"");
  }
  throw Error(
      Code::kUsage,
      str("which input is '", word, "'? This pipeline has several (",
          names(ports), "); write --input ", ports.front().name, "=", word));
}

std::vector<std::string> files_of(const std::string& path, const Port& port) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<std::string> files;
  fs::recursive_directory_iterator at(
      path, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; at != end && !error;
       at.increment(error)) {
    if (is_hidden(at->path())) {
      if (at->is_directory(error)) at.disable_recursion_pending();
      continue;
    }
    const bool is_known =
        port.facts.empty() || port.facts.contains(ending_of(at->path()));
    if (is_known && at->is_regular_file(error)) {
      files.push_back(at->path().string());
    }
  }
  if (error) {
    throw Error(Code::kData,
                str("cannot look into '", path, "': ", error.message()));
  }
  if (files.empty()) {
    throw Error(Code::kData, str("the folder '", path, "' has no file for '",
                                 port.name, "'; expected ", to_string(port)));
  }
  std::sort(files.begin(), files.end());
  return files;
}

Value stdin_input(const Port& port, const Stop& stop) {
  auto source = std::make_shared<StdinSource>(stop);
  if (port.facts.contains("live")) return source;
  auto bytes = std::make_shared<std::string>();
  while (auto piece = source->bytes()) {
    *bytes += *piece;
    if (bytes->size() > kMostBytes) {
      throw Error(Code::kData, "stdin has more than 1 GiB; name a file");
    }
  }
  Media media;
  media.name = "stdin";
  media.bytes = std::move(bytes);
  return media;
}

void name_media(const std::vector<Port>& ports, Request& request) {
  for (const Port& port : ports) {
    const auto found = request.inputs.find(port.name);
    if (found == request.inputs.end()) continue;
    const auto* text = std::get_if<std::string>(&found->second);
    if (text == nullptr) continue;
    Media media;
    media.name = *text;
    found->second = std::move(media);
  }
}

}  // namespace penstock::run
