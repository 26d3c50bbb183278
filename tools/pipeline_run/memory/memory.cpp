#include "pipeline_run/memory/memory.h"

#include <cmath>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "pipeline_run/memory/load.h"

namespace penstock::run {
namespace {

MemoryLimit limit_of(const Options& options) {
  if (options.memory_limit.empty()) return memory_limit();
  return {.bytes = parse_size(options.memory_limit),
          .source = "by --memory-limit"};
}

std::string mib(std::int64_t bytes) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(1)
      << static_cast<double>(bytes) / (1 << 20);
  return out.str();
}

std::string place(const StageMemory& stage) {
  return str(stage.step, stage.step.empty() ? "" : ".", stage.kind, " ",
             stage.name);
}

/// What a run of the command line takes, and one that asks for all it can.
struct Plans {
  MemoryPlan run, most;
  MemoryLimit limit;
};

void print_row(std::ostream& out, const std::string& name,
               const std::vector<std::string>& cells) {
  out << std::left << std::setw(40) << name << std::right;
  for (const std::string& cell : cells) out << std::setw(11) << cell;
  out << "\n";
}

std::string table(const Plans& plans) {
  std::ostringstream out;
  print_row(out, "MiB", {"held", "files", "opening", "sequences", "working"});
  print_row(out, "programs and libraries", {mib(plans.run.process)});
  for (const StageMemory& each : plans.run.stages) {
    const Footprint& its = each.foreseen;
    const std::string name =
        place(each) + (each.device == "cpu" ? "" : " on " + each.device);
    if (!its.is_known) {
      print_row(out, name, {"unknown"});
      continue;
    }
    if (each.held() + its.opening_bytes + each.running() == 0) continue;
    print_row(
        out, name,
        {mib(its.bytes), mib(its.mapped_bytes), mib(its.opening_bytes),
         mib(its.sequence_bytes * each.sequences), mib(its.working_bytes)});
  }
  for (const std::string& device : plans.run.devices()) {
    out << "peak on " << device << ": " << mib(plans.run.peak(device))
        << " MiB; at most " << mib(plans.most.peak(device))
        << " MiB, with every sequence as long as its model takes\n";
  }
  out << "there are " << mib(plans.limit.bytes) << " MiB " << plans.limit.source
      << "\n";
  return out.str();
}

nlohmann::ordered_json json_of(const StageMemory& each) {
  const Footprint& its = each.foreseen;
  return {{"step", each.step},
          {"kind", each.kind},
          {"name", each.name},
          {"device", each.device},
          {"known", its.is_known},
          {"bytes", its.bytes},
          {"mapped_bytes", its.mapped_bytes},
          {"opening_bytes", its.opening_bytes},
          {"working_bytes", its.working_bytes},
          {"sequence_bytes", its.sequence_bytes},
          {"sequences", each.sequences},
          {"tokens", each.tokens},
          {"context_length", its.context_length}};
}

std::string json_line(const CompositionFile& file, const Plans& plans) {
  nlohmann::ordered_json all{
      {"pipeline", file.name},           {"peak_bytes", plans.run.peak()},
      {"most_bytes", plans.most.peak()}, {"limit_bytes", plans.limit.bytes},
      {"limit", plans.limit.source},     {"process_bytes", plans.run.process}};
  for (const std::string& device : plans.run.devices()) {
    all["devices"][device] = {{"peak_bytes", plans.run.peak(device)},
                              {"most_bytes", plans.most.peak(device)}};
  }
  all["stages"] = nlohmann::ordered_json::array();
  for (const StageMemory& each : plans.run.stages) {
    all["stages"].push_back(json_of(each));
  }
  return all.dump() + "\n";
}

}  // namespace

std::int64_t parse_size(const std::string& text) {
  const auto fail = [&]() -> Error {
    return {Code::kUsage, str("--memory-limit: expected a size such as 800M or "
                              "1.5G, not '",
                              text, "'")};
  };
  std::size_t used = 0;
  double number = 0;
  try {
    number = std::stod(text, &used);
  } catch (const std::exception&) {
    throw fail();
  }
  std::string unit = text.substr(used);
  for (const std::string ending : {"iB", "B"}) {
    if (unit.size() > ending.size() && unit.ends_with(ending)) {
      unit.resize(unit.size() - ending.size());
    }
  }
  const std::string units = "KMGT";
  const auto power = units.find(unit);
  const bool is_known =
      unit.empty() || (unit.size() == 1 && power != std::string::npos);
  if (!is_known || !std::isfinite(number) || number <= 0) throw fail();
  if (!unit.empty()) number *= std::pow(1024, power + 1);
  if (number > 1e18) throw fail();
  return static_cast<std::int64_t>(number);
}

void print_memory(const Options& options, const CompositionFile& file,
                  Output& output) {
  Plans plans{
      .run = {}, .most = plan_memory(file, {}), .limit = limit_of(options)};
  plans.run = plan_memory(file, loads_of(options, file, plans.most));
  plans.most.process = plans.run.process;  // planning itself takes some
  output.write(options.json ? json_line(file, plans) : table(plans));
  check_fits(plans.run, plans.limit);
}

void check_memory(const Options& options, const CompositionFile& file) {
  if (!options.memory_limit.empty()) {
    const MemoryPlan most = plan_memory(file, {});
    check_fits(plan_memory(file, loads_of(options, file, most)),
               limit_of(options));
    return;
  }
  const std::vector<MemoryLoad> least(file.steps.size(),
                                      MemoryLoad{.sequences = 1, .tokens = 1});
  MemoryPlan plan;
  try {
    plan = plan_memory(file, least);
  } catch (const Error&) {
    return;  // opening says best what is missing
  }
  check_fits(plan, memory_limit());
}

}  // namespace penstock::run
