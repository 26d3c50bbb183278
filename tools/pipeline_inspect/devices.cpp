#include "pipeline_inspect/devices.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "penstock/error.h"
#include "penstock/parallel.h"
#include "pipeline_inspect/table.h"

namespace penstock::inspect {
namespace {

using DeviceJson = nlohmann::ordered_json;

std::string gibibytes(std::int64_t bytes) {
  constexpr double kGibibyte = 1 << 30;
  std::ostringstream out;
  out << std::fixed << std::setprecision(1)
      << static_cast<double>(bytes) / kGibibyte;
  return out.str();
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "this processor";
}

std::int64_t memory_bytes() {
  return static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) *
         sysconf(_SC_PAGE_SIZE);
}

std::string memory_of(const Gpu& gpu) {
  const std::string all = gibibytes(gpu.bytes) + " GiB";
  return gpu.free_bytes < 0
             ? all
             : gibibytes(gpu.free_bytes) + " of " + all + " free";
}

/// "gemma.forward: can be used", a line for each reason why others cannot, and
/// for each choice with which one could not.
std::vector<std::string> lines_of(const std::vector<GpuUse>& uses,
                                  std::size_t gpu) {
  std::vector<std::pair<std::string, std::string>> by_reason;
  for (const GpuUse& use : uses) {
    const std::string& why = use.why.at(gpu);
    auto found =
        std::find_if(by_reason.begin(), by_reason.end(),
                     [&](const auto& each) { return each.first == why; });
    if (found == by_reason.end()) {
      by_reason.emplace_back(why, use.stage);
    } else {
      found->second += ", " + use.stage;
    }
  }
  std::vector<std::string> out;
  for (const auto& [why, stages] : by_reason) {
    out.push_back(stages +
                  (why.empty() ? ": can be used" : ": cannot be used: " + why));
  }
  for (const GpuUse& use : uses) {
    for (const std::string& choice : use.but.at(gpu)) {
      out.push_back(str(use.stage, ", not with ", choice));
    }
  }
  if (out.empty()) out.emplace_back("no stage that is here computes on it");
  return out;
}

std::string lines(const Gpus& gpus, const std::vector<GpuUse>& uses) {
  std::vector<std::vector<std::string>> rows{
      {"cpu", str(processor_name(), ", ", threads(), " threads, ",
                  gibibytes(memory_bytes()), " GiB")}};
  for (std::size_t i = 0; i < gpus.all.size(); ++i) {
    const Gpu& gpu = gpus.all[i];
    rows.push_back(
        {str("cuda:", i),
         str(gpu.name, " (UUID: ", gpu.uuid, "), compute capability ",
             gpu.major, ".", gpu.minor, ", ", memory_of(gpu))});
    for (std::string& line : lines_of(uses, i)) {
      rows.push_back({"", std::move(line)});
    }
  }
  if (gpus.all.empty()) {
    rows.push_back({"cuda", "cannot be used: " + gpus.why_none});
  }
  std::string out;
  for (const std::string& line : aligned(rows)) out += line + "\n";
  return out;
}

DeviceJson json(const Gpus& gpus, const std::vector<GpuUse>& uses) {
  DeviceJson list = DeviceJson::array();
  list.push_back({{"device", "cpu"},
                  {"name", processor_name()},
                  {"threads", threads()},
                  {"bytes", memory_bytes()},
                  {"is_usable", true}});
  for (std::size_t i = 0; i < gpus.all.size(); ++i) {
    const Gpu& gpu = gpus.all[i];
    DeviceJson stages = DeviceJson::object();
    DeviceJson choices = DeviceJson::object();
    bool is_usable = false;
    for (const GpuUse& use : uses) {
      // Nothing is known of a card that came since.
      const std::string why = i < use.why.size() ? use.why[i] : "not asked";
      if (!why.empty()) stages[use.stage] = why;
      if (i < use.but.size() && !use.but[i].empty()) {
        choices[use.stage] = use.but[i];
      }
      is_usable |= why.empty();
    }
    list.push_back(
        {{"device", str("cuda:", i)},
         {"name", gpu.name},
         {"uuid", gpu.uuid},
         {"compute_capability", str(gpu.major, ".", gpu.minor)},
         {"bytes", gpu.bytes},
         {"free_bytes",
          gpu.free_bytes < 0 ? DeviceJson() : DeviceJson(gpu.free_bytes)},
         {"is_usable", is_usable},
         {"why_not", std::move(stages)},
         {"not_with", std::move(choices)}});
  }
  return {{"devices", std::move(list)},
          {"driver", gpus.driver},
          {"why_no_cuda", why_unusable(gpus)}};
}

}  // namespace

std::string devices(const Gpus& gpus, const std::vector<GpuUse>& uses,
                    bool is_json) {
  if (!is_json) return lines(gpus, uses);
  return json(gpus, uses)
             .dump(2, ' ', /*ensure_ascii=*/false,
                   DeviceJson::error_handler_t::replace) +
         "\n";
}

}  // namespace penstock::inspect
