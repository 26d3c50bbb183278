#include <algorithm>
#include <iomanip>
#include <sstream>

#include "penstock/batch.h"
#include "pipeline_bench/report.h"

namespace penstock::bench {
namespace {

double first_ms(const Timed& timed) { return timed.first_ms; }
double wait_ms(const Timed& timed) { return timed.wait_ms; }

/// The word that stands for a load in a column.
std::string short_text(const Load& load) {
  return load.is_open() ? load.text() : std::to_string(load.batch);
}

void start_row(std::ostream& out, const VariantResult& variant,
               const Measured& m) {
  out << std::left << std::setw(8) << variant.name << std::right << std::setw(5)
      << short_text(m.load);
}

void latency_row(std::ostream& out, const VariantResult& variant,
                 const Measured& m) {
  const auto first = m.each(first_ms);
  const auto between = m.gaps();
  const Speed fast = speed(m);
  start_row(out, variant, m);
  out << std::setprecision(2) << std::setw(9) << median(first) << std::setw(9)
      << percentile(first, 0.95) << std::setw(8) << median(between)
      << std::setw(8) << percentile(between, 0.95) << std::setw(8)
      << percentile(between, 0.99) << std::setprecision(0) << std::setw(8)
      << fast.prefill << std::setw(8) << fast.decode << std::setw(8)
      << fast.tokens << std::setprecision(1) << std::setw(8) << fast.requests
      << "\n";
}

void stage_row(std::ostream& out, const VariantResult& variant,
               const Measured& m) {
  const StageTimes times = stage_times(m);
  const auto wait = m.each(wait_ms);
  start_row(out, variant, m);
  out << std::setprecision(2) << std::setw(9) << median(wait) << std::setw(9)
      << percentile(wait, 0.95) << std::setw(12) << times.preprocess
      << std::setw(8) << times.batch << std::setw(9) << times.forward
      << std::setw(8) << times.decode << std::setw(13) << times.postprocess
      << "\n";
}

/// "sequences in a step: 8: 120 running, 1 full; ..."
void steps_row(std::ostream& out, const VariantResult& variant,
               const Measured& m) {
  start_row(out, variant, m);
  const char* before = "  ";
  for (const auto& [size, counts] : m.steps.by_size) {
    out << before << size << ":";
    before = "; ";
    const char* comma = " ";
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts.at(i) == 0) continue;
      out << comma << counts.at(i) << " " << to_string(static_cast<Closed>(i));
      comma = ", ";
    }
  }
  const std::int64_t known = m.steps.known();
  if (known < m.steps.ran) {
    out << " (the newest " << known << " of " << m.steps.ran << ")";
  }
  out << "\n";
}

template <class Row>
void rows(std::ostream& out, const Result& result, const Row& row) {
  for (const VariantResult* variant : result.present()) {
    for (const Measured& each : variant->loads) row(out, *variant, each);
  }
}

void compare(std::ostream& out, const Result& result) {
  const auto all = comparisons(result);
  if (all.empty()) return;
  out << "times as fast as " << all.front().base->name
      << ", 95 % interval of the paired runs; ~: no clear difference\n";
  for (const Comparison& each : all) {
    const Measured& m = each.other->loads[each.load];
    start_row(out, *each.other, m);
    out << "  " << std::left << std::setw(16) << each.metric << std::right
        << std::setprecision(3) << std::setw(8) << each.ratio.value << "  ("
        << each.ratio.low << " .. " << each.ratio.high << ")"
        << (each.ratio.is_clear() ? "" : " ~") << "\n";
  }
}

void heading(std::ostream& out, const Result& result) {
  out << std::fixed << result.pipeline << ", " << result.model << ", "
      << result.threads << (result.threads == 1 ? " thread" : " threads")
      << ", medians of " << result.runs << " runs\n";
  const auto there = result.present();
  if (!there.empty() && !there.front()->loads.empty()) {
    const Timed& sample = there.front()->loads[0].runs[0].requests[0];
    if (sample.new_tokens > 0) {
      out << sample.prompt_tokens << " prompt tokens, " << sample.new_tokens
          << " new\n";
    }
  }
  for (const VariantResult& each : result.variants) {
    if (each.name == each.device) continue;
    out << std::left << std::setw(8) << each.name
        << (each.settings.empty() ? "the file as it is" : each.settings) << ", "
        << each.device << (each.dtype.empty() ? "" : ", ") << each.dtype
        << "\n";
  }
}

/// How many runs warmed up, where that is not the same everywhere or was not
/// enough.
void warmups(std::ostream& out, const Result& result) {
  const auto there = result.present();
  if (there.empty()) return;
  out << "warm-up, runs:";
  for (const Measured& each : there.front()->loads) {
    out << " " << each.warmup << " (" << each.load.text()
        << (each.is_steady ? ")" : ", still getting faster)");
  }
  out << "\n";
}

}  // namespace

std::string table(const Result& result) {
  std::ostringstream out;
  heading(out, result);
  out << "              first, ms         between, ms            tokens/s\n"
         "         load    p50      p95     p50     p95     p99  prefill"
         "  decode     all  reqs/s\n";
  for (const VariantResult& each : result.variants) {
    if (!each.missing) continue;
    out << std::left << std::setw(8) << each.name
        << "missing: " << *each.missing << "\n";
  }
  rows(out, result, latency_row);
  out << "              queue, ms   stages, ms for each request\n"
         "         load    p50      p95  preprocess   batch  forward  decode"
         "  postprocess\n";
  rows(out, result, stage_row);
  out << "         load  steps by number of sequences, and why they closed\n";
  rows(out, result, steps_row);
  compare(out, result);
  warmups(out, result);
  for (const VariantResult* each : result.present()) {
    out << each->name << ": " << each->dtype
        << (each->dtype.empty() ? "" : ", ") << "opened in "
        << std::setprecision(2) << each->open_s << " s\n";
  }
  out << std::setprecision(0) << "at most " << result.peak_mib
      << " MiB of memory\n";
  return out.str();
}

}  // namespace penstock::bench
