#include "testing/stage_run.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

namespace penstock::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::array kKinds{StageKind::kPreprocess, StageKind::kBatch,
                            StageKind::kForward, StageKind::kDecode,
                            StageKind::kPostprocess};

/// A file that is read once.
class YamlFile {
 public:
  explicit YamlFile(const std::string& text) {
    std::string name = fs::temp_directory_path() / "penstock_stage_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
      throw Error(Code::kRetry, str("cannot make a folder like ", name));
    }
    folder_ = name;
    std::ofstream(path()) << text;
  }
  YamlFile(const YamlFile&) = delete;
  YamlFile& operator=(const YamlFile&) = delete;
  ~YamlFile() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  [[nodiscard]] fs::path path() const { return folder_ / "stage.yaml"; }

 private:
  fs::path folder_;
};

/// The stages that stand behind `use:`.
std::vector<std::string> uses_in(const std::string& yaml) {
  constexpr std::string_view kUse = "use:";
  constexpr std::string_view kName =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";
  std::vector<std::string> uses;
  for (auto at = yaml.find(kUse); at != std::string::npos;
       at = yaml.find(kUse, at + 1)) {
    if (at > 0 && kName.find(yaml[at - 1]) != kName.npos) continue;
    const auto begin = yaml.find_first_not_of(" \t\"'", at + kUse.size());
    if (begin == std::string::npos) break;
    const auto end =
        std::min(yaml.find_first_not_of(kName, begin), yaml.size());
    if (end > begin) uses.push_back(yaml.substr(begin, end - begin));
  }
  if (uses.empty()) {
    throw Error(Code::kUsage,
                str("the test names no stage: '", yaml,
                    "' has no `use:`; write {use: plugin.stage}"));
  }
  return uses;
}

Named named_in(const std::string& yaml, StageCatalog& catalog) {
  Named named;
  for (const std::string& use : uses_in(yaml)) {
    if (use.starts_with("fake.")) continue;
    const StageSpec& spec = catalog.find(use);
    named[spec.kind].push_back(&spec);
  }
  return named;
}

/// The text as a pipeline file, with fakes for the kinds that it lacks.
std::string whole_file(const std::string& yaml, const Named& named,
                       const Given& given) {
  std::string text = "version: 1\nname: stage\n";
  if (!given.model.empty()) text += "model: \"" + given.model + "\"\n";
  for (const StageKind kind : kKinds) {
    if (named.contains(kind)) continue;
    text += str(to_string(kind), ": {use: fake.", to_string(kind), "}\n");
  }
  return text + yaml + "\n";
}

PipelineFile load(const std::string& yaml, const Given& given,
                  StageCatalog& real, FakeCatalog& catalog) {
  const Named named = named_in(yaml, real);
  catalog.make_fakes(named);
  const YamlFile file(whole_file(yaml, named, given));
  return load_pipeline_file(file.path(), catalog);
}

Request request_of(const Given& given, int number) {
  Request request;
  request.id = std::to_string(number);
  request.inputs = given.inputs;
  for (const auto& [name, value] : given.options) {
    request.options[name] = raw_from_text(value);
  }
  return request;
}

/// Lines of a list or a block, under their key.
std::string indented(const std::string& yaml) {
  std::istringstream lines(yaml);
  std::string out;
  for (std::string line; std::getline(lines, line);) out += "\n  " + line;
  return out;
}

}  // namespace

/// Keeps what every stage made, by request; stages run on several threads.
class StageRun::Watcher final : public Observer {
 public:
  void item(const Request& request, const Item& item) override {
    const std::scoped_lock lock(mutex_);
    made_[request.id].items.push_back({.tokens = item.tokens,
                                       .inputs = item.inputs,
                                       .notes = item.notes,
                                       .width = item.width});
  }
  void step(const Step& step, const Result& result) override {
    MadeStep made{.slices = {}, .inputs = step.inputs, .result = result};
    std::set<std::string> requests;
    for (const Slice& slice : step.slices) {
      const Item& item = *slice.sequence->item;
      requests.insert(item.request->id);
      made.slices.push_back({.request = item.request->id,
                             .item = item.index,
                             .branch = slice.sequence->branch,
                             .begin = slice.begin,
                             .count = slice.count,
                             .out = slice.out,
                             .outs = slice.outs});
    }
    const std::scoped_lock lock(mutex_);
    for (const auto& id : requests) made_[id].steps.push_back(made);
  }
  void decoded(const Request& request, const Decoded& decoded) override {
    const std::scoped_lock lock(mutex_);
    made_[request.id].decoded.push_back(decoded);
  }
  [[nodiscard]] Made take(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    return std::exchange(made_[id], {});
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Made> made_;
};

const StageSpec& first_stage(const std::string& yaml, StageCatalog& catalog) {
  for (const std::string& use : uses_in(yaml)) {
    if (!use.starts_with("fake.")) return catalog.find(use);
  }
  throw Error(Code::kUsage, "the test names fakes alone: '" + yaml + "'");
}

std::string under_its_key(const std::string& yaml, StageCatalog& catalog) {
  return to_string(first_stage(yaml, catalog).kind) + ":" + indented(yaml);
}

StageRun::StageRun(const std::string& yaml, Given given)
    : given_(std::move(given)),
      catalog_(real_, given_),
      file_(load(yaml, given_, real_, catalog_)),
      watcher_(std::make_unique<Watcher>()) {
  PipelineOptions options;
  options.observer = watcher_.get();
  runner_ = std::make_unique<Runner>(file_, options);
}

StageRun::~StageRun() = default;

std::vector<Made> StageRun::run(int count) {
  std::vector<std::shared_ptr<Collector>> sinks;
  {
    const auto more = runner_->more_coming();
    for (int i = 0; i < count; ++i) {
      sinks.push_back(std::make_shared<Collector>());
      runner_->submit(request_of(given_, i), sinks.back());
    }
  }
  std::vector<Outcome> outcomes;
  for (const auto& sink : sinks) outcomes.push_back(sink->wait());
  runner_->drain();
  std::vector<Made> all;
  for (int i = 0; i < count; ++i) {
    Outcome& outcome = outcomes[static_cast<std::size_t>(i)];
    if (outcome.report.error) throw Error(*outcome.report.error);
    all.push_back(watcher_->take(std::to_string(i)));
    all.back().outcome = std::move(outcome);
  }
  return all;
}

}  // namespace penstock::testing
