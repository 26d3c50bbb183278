#include "pipeline_run/memory/load.h"

#include <algorithm>
#include <optional>
#include <string>

#include "pipeline_run/input/files.h"

namespace penstock::run {
namespace {

/// Around a prompt: its first token, and what a chat's template writes.
constexpr std::int64_t kAround = 32;

/// Requests, and the bytes of the longest; nothing: unknown.
struct Asked {
  std::optional<int> requests = {};
  std::optional<std::int64_t> bytes = {};
  /// Most tokens of an answer, where every request says so.
  std::optional<std::int64_t> answer = {};
};

int count(std::size_t requests) {
  constexpr std::size_t kMost = 1 << 20;
  return static_cast<int>(std::min(requests, kMost));
}

std::optional<std::int64_t> integer_of(const Raw& raw) {
  const auto* scalar = std::get_if<RawScalar>(&raw);
  if (scalar == nullptr) return {};
  try {
    return std::stoll(scalar->text);
  } catch (const std::exception&) {
    return {};
  }
}

/// Of the file's own requests.
Asked own_requests(const CompositionFile& file) {
  Asked asked{.requests = count(file.inputs.size()), .bytes = 0};
  for (const InputConfig& input : file.inputs) {
    std::int64_t bytes = 0;
    for (const auto& [name, value] : input.values) bytes += std::ssize(value);
    asked.bytes = std::max(*asked.bytes, bytes);
    const auto limit = input.options.find("max_new_tokens");
    if (limit == input.options.end()) continue;
    const auto tokens = integer_of(limit->second);
    if (tokens && *tokens > asked.answer.value_or(0)) asked.answer = tokens;
  }
  // A request that says nothing has the pipeline's limit.
  const bool all_say = std::all_of(
      file.inputs.begin(), file.inputs.end(), [](const InputConfig& input) {
        return input.options.count("max_new_tokens") > 0;
      });
  if (!all_say) asked.answer.reset();
  return asked;
}

Asked requests_of(const Options& options, const CompositionFile& file) {
  const auto longest = [](const std::vector<std::string>& texts) {
    std::int64_t most = 0;
    for (const std::string& each : texts)
      most = std::max(most, std::ssize(each));
    return most;
  };
  if (options.use_stdin || !options.jsonl.empty() || options.chat) return {};
  if (!options.texts.empty()) {
    return {.requests = count(options.texts.size()),
            .bytes = longest(options.texts)};
  }
  if (!options.files.empty()) return {.requests = count(options.files.size())};
  if (!options.named.empty()) {
    std::int64_t bytes = 0;
    for (const std::string& each : options.named) bytes += std::ssize(each);
    return {.requests = 1, .bytes = bytes};
  }
  return own_requests(file);
}

/// Most tokens of an answer; nothing: the pipeline does not say.
std::optional<std::int64_t> answer_of(const PipelineFile& file) {
  const auto found = file.decode.settings.find("max_new_tokens");
  if (found == file.decode.settings.end()) return {};
  const auto* limit = std::get_if<std::int64_t>(&found->second.value);
  if (limit == nullptr) return {};
  return *limit;
}

/// What stages before the model write around a text, such as instructions.
std::int64_t written_around(const PipelineFile& file) {
  std::int64_t bytes = kAround;
  for (const StageConfig& stage : file.preprocess) {
    for (const auto& [name, setting] : stage.settings) {
      const auto* text = std::get_if<std::string>(&setting.value);
      if (text != nullptr) bytes += std::ssize(*text);
    }
  }
  return bytes;
}

std::int64_t most_context(const MemoryPlan& plan, const std::string& step) {
  std::int64_t most = 0;
  for (const StageMemory& each : plan.stages) {
    if (each.step != step) continue;
    most = std::max(most, each.foreseen.context_length);
  }
  return most;
}

}  // namespace

std::vector<MemoryLoad> loads_of(const Options& options,
                                 const CompositionFile& file,
                                 const MemoryPlan& most) {
  const Asked asked = requests_of(options, file);
  std::vector<MemoryLoad> loads;
  for (const StepConfig& step : file.steps) {
    MemoryLoad& load = loads.emplace_back();
    load.sequences = asked.requests.value_or(0);
    const bool takes_texts = media_ports(step.file).empty();
    std::optional<std::int64_t> prompt;
    if (const std::string source = step.source(); !source.empty()) {
      const std::int64_t context = most_context(most, source);
      if (context > 0) prompt = context;
    } else if (takes_texts) {
      prompt = asked.bytes;
    }
    if (!prompt) continue;
    load.tokens = *prompt + written_around(step.file);
    const auto answer = asked.answer ? asked.answer : answer_of(step.file);
    load.answer = answer.value_or(0);
    load.tokens += load.answer;
  }
  return loads;
}

}  // namespace penstock::run
