#include "pipeline_run/output/sound_output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "pipeline_run/output/real_stdout.h"

namespace penstock::run {
namespace {

constexpr std::size_t kHead = 44;
constexpr std::int64_t kUnknownLength = 0xFFFFFFFF;

bool is_media(const PipelineFile& file) {
  const auto& made = file.postprocess.spec->outputs;
  return std::any_of(made.begin(), made.end(),
                     [](const Port& port) { return port.dtype == "media"; });
}

/// Whether the stage has a folder for its files.
bool has_folder(const StageConfig& stage) {
  const ParamSpec* folder = stage.spec->params.find(Ability::kDraws);
  if (folder == nullptr) return false;
  const auto found = stage.settings.find(folder->name);
  if (found == stage.settings.end()) return false;
  const auto* text = std::get_if<std::string>(&found->second.value);
  return text != nullptr && !text->empty();
}

std::array<char, 4> little(std::int64_t value) {
  std::array<char, 4> out{};
  for (char& byte : out) {
    byte = static_cast<char>(value & 0xFF);
    value >>= 8;
  }
  return out;
}

}  // namespace

bool gives_sound(const Options& options, const CompositionFile& file) {
  const PipelineFile& last = file.steps.back().file;
  const bool is_whole = options.until.empty() && !options.show &&
                        !options.chat && options.compare.empty();
  if (!is_whole || !is_media(last) || has_folder(last.postprocess)) {
    return false;
  }
  const std::string who = last.postprocess.spec->name;
  if (options.json) {
    throw Error(Code::kUsage,
                str(who,
                    " gives sound, which a JSON line cannot hold; name a "
                    "folder for its files: --render FOLDER"));
  }
  if (isatty(results_descriptor()) == 1) {
    throw Error(Code::kUsage,
                str(who,
                    " gives sound, which is nothing for a terminal; write "
                    "it to a file (> sound.wav) or a player (| aplay), or name "
                    "a folder: --render FOLDER"));
  }
  return true;
}

WavLength::WavLength(int descriptor)
    : descriptor_(descriptor), begin_(lseek(descriptor, 0, SEEK_CUR)) {}

void WavLength::add(const std::string& bytes) {
  if (head_.size() < kHead) head_ += bytes.substr(0, kHead - head_.size());
  bytes_ += std::ssize(bytes);
}

void WavLength::correct() const {
  struct stat state {};
  const int flags = fcntl(descriptor_, F_GETFL);
  const bool is_wav =
      head_.size() == kHead && head_.starts_with("RIFF\xFF\xFF\xFF\xFF") &&
      std::string_view(head_).substr(36).starts_with("data\xFF\xFF\xFF\xFF");
  const bool is_file = begin_ >= 0 && fstat(descriptor_, &state) == 0 &&
                       S_ISREG(state.st_mode) && flags >= 0 &&
                       (flags & O_APPEND) == 0;
  if (!is_wav || !is_file || bytes_ >= kUnknownLength) return;
  // Who cannot write here could not write the sound either, and was told.
  const auto all = little(bytes_ - 8);
  const auto samples = little(bytes_ - static_cast<std::int64_t>(kHead));
  [[maybe_unused]] auto done =
      pwrite(descriptor_, all.data(), all.size(), begin_ + 4);
  done = pwrite(descriptor_, samples.data(), samples.size(), begin_ + 40);
}

}  // namespace penstock::run
