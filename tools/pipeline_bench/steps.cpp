#include "pipeline_bench/steps.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "penstock/batch.h"

namespace penstock::bench {
namespace {

double micros(Time time) {
  return std::chrono::duration<double, std::micro>(time.time_since_epoch())
      .count();
}

std::size_t reason_of(const std::string& word) {
  for (std::size_t i = 0; i < 5; ++i) {
    if (word == to_string(static_cast<Closed>(i))) return i;
  }
  throw Error(Code::kInternal, str("a trace with '", word, "' as a reason"));
}

}  // namespace

std::int64_t StepCounts::known() const {
  std::int64_t sum = 0;
  for (const auto& [size, counts] : by_size) {
    for (const std::int64_t count : counts) sum += count;
  }
  return sum;
}

std::int64_t StepCounts::most() const {
  std::int64_t most = 0;
  for (const auto& [size, counts] : by_size) {
    std::int64_t sum = 0;
    for (const std::int64_t count : counts) sum += count;
    most = std::max(most, sum);
  }
  return most;
}

StepCounts count_steps(const std::string& trace,
                       const std::vector<Span>& spans) {
  StepCounts out;
  const auto all = nlohmann::json::parse(trace);
  for (const auto& event : all.at("traceEvents")) {
    if (event.value("name", "") != "forward" || !event.contains("args")) {
      continue;
    }
    const double at = event.at("ts");
    const bool is_measured =
        std::any_of(spans.begin(), spans.end(), [&](const Span& span) {
          return micros(span.first) <= at && at <= micros(span.second);
        });
    const auto& args = event.at("args");
    if (!is_measured || !args.contains("closed")) continue;
    const std::size_t size = args.at("sequences").size();
    ++out.by_size[size].at(reason_of(args.at("closed")));
  }
  return out;
}

}  // namespace penstock::bench
