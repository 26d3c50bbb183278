#include "pipeline_run/compare/compare.h"

#include <algorithm>
#include <iomanip>
#include <map>
#include <memory>
#include <sstream>

#include "common/harmless.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "pipeline_run/compare/difference.h"
#include "pipeline_run/exit_code.h"
#include "pipeline_run/input/find_pipeline.h"
#include "pipeline_run/input/inputs.h"
#include "pipeline_run/input/stop.h"
#include "pipeline_run/output/output.h"

namespace penstock::run {
namespace {

constexpr const char* kFlag = "--compare";
/// The exit code where they do, as diff's.
constexpr int kTheyDiffer = 1;

/// Whether a param of the forward stage may have this value.
bool takes(const PipelineFile& file, const char* param,
           const std::string& value) {
  const auto* found = file.forward.spec->params.find(param);
  if (found == nullptr) return false;
  const auto& choices = found->choices;
  return std::find(choices.begin(), choices.end(), value) != choices.end();
}

std::vector<Override> side_of(const std::string& word,
                              const PipelineFile& file) {
  if (word.find('=') != std::string::npos) return parse_overrides(word, kFlag);
  for (const char* param : {"engine", "dtype"}) {
    if (takes(file, param, word)) {
      return {{std::string("forward.") + param, word, kFlag}};
    }
  }
  if (word == "cpu" || word.starts_with("cuda")) {
    return {{"device", word, kFlag}};
  }
  throw Error(Code::kUsage,
              str("--compare: '", word, "' is no engine or dtype of ",
                  file.forward.spec->name,
                  " and no device; for another param write stage.param=value"));
}

/// A side of the comparison: a pipeline that is open.
struct Side {
  Side(PipelineFile file, const char* its_name) : name(its_name) {
    PipelineOptions how;
    how.observer = &records;
    how.preprocess_workers = 1;
    runner = std::make_unique<Runner>(std::move(file), how);
    dtype = get_or(runner->facts(), kDtype, "");
  }
  Records::Seen run(const Request& request) {
    // The sink is the observer, which outlives the runner.
    runner->submit(request, std::shared_ptr<ResultSink>(std::shared_ptr<void>(),
                                                        &records));
    runner->drain();
    return records.take();
  }

  const char* name;
  std::string dtype;
  Records records;
  std::unique_ptr<Runner> runner;  ///< last: it ends first
};

PipelineFile load(const Options& options, PluginHost& plugins,
                  const std::vector<Override>& more) {
  auto overrides = options.overrides;
  overrides.insert(overrides.end(), more.begin(), more.end());
  CompositionFile all = load_named(options.file, plugins, overrides);
  if (!all.is_one()) {
    throw Error(Code::kUsage, str("'", options.file,
                                  "' composes pipelines; compare the file of "
                                  "the step it is about"));
  }
  return std::move(all.steps.front().file);
}

/// The furthest of each stage and tensor over all steps.
void print_worst(std::ostream& to, const Comparison& compared) {
  std::vector<std::pair<std::string, double>> worst;
  for (const auto& line : compared.lines) {
    const std::string key =
        line.where.substr(0, line.where.find(',')) + " " + line.name;
    const auto found =
        std::find_if(worst.begin(), worst.end(),
                     [&](const auto& each) { return each.first == key; });
    if (found == worst.end()) {
      worst.emplace_back(key, line.worst);
    } else {
      found->second = std::max(found->second, line.worst);
    }
  }
  for (const auto& [key, value] : worst) {
    to << "  " << std::left << std::setw(28) << harmless(key)
       << std::setprecision(3) << value << "\n";
  }
}

/// Whether the request's runs are within the tolerance.
bool compare_one(const Request& request, Side& a, Side& b, double tolerance,
                 std::ostream& to) {
  const auto of_a = a.run(request);
  const auto of_b = b.run(request);
  const Comparison compared = compare(of_a.records, of_b.records, tolerance);
  to << "request '" << harmless(request.id) << "': ";
  for (const auto& [side, seen] :
       {std::pair(&a, &of_a), std::pair(&b, &of_b)}) {
    if (!seen->error) continue;
    to << side->name << " failed: " << harmless(seen->error->what()) << "\n";
    return false;
  }
  if (compared.difference) {
    to << "parts in " << harmless(*compared.difference) << "\n";
  } else if (compared.near_tie) {
    to << "within the tolerance; parts in " << harmless(*compared.near_tie)
       << "\n";
  } else {
    to << "within the tolerance\n";
  }
  print_worst(to, compared);
  return !compared.difference;
}

}  // namespace

std::pair<std::vector<Override>, std::vector<Override>> sides_of(
    const std::string& text, const PipelineFile& file) {
  const auto comma = text.find(',');
  const bool is_pair = comma != std::string::npos && comma > 0 &&
                       comma + 1 < text.size() &&
                       text.find(',', comma + 1) == std::string::npos;
  if (!is_pair) {
    throw Error(Code::kUsage,
                str("--compare: expected two ways such as reference,native or "
                    "fp32,bf16, not '",
                    text, "'"));
  }
  return {side_of(text.substr(0, comma), file),
          side_of(text.substr(comma + 1), file)};
}

double tolerance_of(const std::string& a, const std::string& b) {
  // A few times what Gemma 3 270M's layers were measured to differ by: 0.045
  // between fp32 and bf16, 0.22 between bf16 and int8.
  static const std::map<std::string, double> kByDtype{
      {"fp32", 1e-3}, {"fp16", 0.05}, {"bf16", 0.25}, {"int8", 0.5}};
  double most = 1e-3;
  for (const std::string& dtype : {a, b}) {
    const auto found = kByDtype.find(dtype);
    if (found != kByDtype.end()) most = std::max(most, found->second);
  }
  return most;
}

int compare_runs(const Options& options, PluginHost& plugins) {
  const auto [first, second] =
      sides_of(options.compare, load(options, plugins, {}));
  PipelineFile file = load(options, plugins, first);
  const Stop stop;
  const Inputs inputs = open_inputs(options, file, stop);
  set_threads(static_cast<int>(std::get<std::int64_t>(file.threads.value)));
  Side a(std::move(file), "A");
  Side b(load(options, plugins, second), "B");
  const double tolerance = options.tolerance > 0
                               ? options.tolerance
                               : tolerance_of(a.dtype, b.dtype);
  const auto comma = options.compare.find(',');
  Output output;
  std::ostringstream to;
  to << "A " << harmless(options.compare.substr(0, comma)) << " ("
     << a.runner->device() << " " << a.dtype << "), B "
     << harmless(options.compare.substr(comma + 1)) << " ("
     << b.runner->device() << " " << b.dtype << "), tolerance " << tolerance
     << "\n";
  int requests = 0;
  int apart = 0;
  while (const auto input = inputs.next()) {
    if (input->error) throw Error(*input->error).in(Place::input(input->place));
    ++requests;
    apart += compare_one(input->request, a, b, tolerance, to) ? 0 : 1;
    output.write(std::exchange(to, std::ostringstream()).str());
  }
  to << requests << (requests == 1 ? " request, " : " requests, ") << apart
     << " beyond the tolerance\n";
  output.write(to.str());
  return exit_code(output, apart == 0 ? 0 : kTheyDiffer);
}

}  // namespace penstock::run
