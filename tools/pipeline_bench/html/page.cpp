#include "pipeline_bench/html/page.h"

#include <sstream>

#include "penstock/batch.h"
#include "penstock/sdk_version.h"
#include "pipeline_bench/html/plots.h"
#include "pipeline_bench/html/rows.h"
#include "pipeline_bench/html/svg.h"

namespace penstock::bench {
namespace {

// lint: long, a style sheet
constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5c6670;
  --paper: #ffffff; --rule: #e3e6ea; --shade: #f0f2f5;
  --k0: #3b6fd4; --k1: #d9622b; --k2: #2a9d6f; --k3: #a24cc2; --k4: #b8860b;
  --k5: #c43d62; --k6: #20899b; --k7: #6b6f2a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7eaee; --soft: #9aa4af; --paper: #14171b; --rule: #2b3138;
    --shade: #1e2329; --k0: #7aa5f5; --k1: #f19a63; --k2: #5fcf9f;
    --k3: #cf8ae8; --k4: #e0b645; --k5: #ee7d9b; --k6: #5cc3d4;
    --k7: #b3b85f; } }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 58rem;
  font: 15px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .25rem; }
p { margin: .25rem 0 .75rem; color: var(--soft); max-width: 46rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; padding: .3rem .7rem;
  border-bottom: 1px solid var(--soft); white-space: nowrap; }
td { text-align: right; padding: .25rem .7rem;
  border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child, .words td { text-align: left; padding-left: 0; }
.words th { text-align: left; } .words td, .words th { padding-right: 1.5rem; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin-right: .45em; vertical-align: -.05em; }
.legend span { margin-right: 1.1rem; white-space: nowrap; }
svg { display: block; max-width: 100%; height: auto; }
svg text { font: 12.5px system-ui, sans-serif; fill: var(--ink); }
svg .tick { fill: var(--soft); font-size: 11.5px; }
.grid { stroke: var(--rule); } .axis { stroke: var(--soft); }
.one { stroke: var(--ink); stroke-dasharray: 3 3; }
.median { stroke: var(--paper); stroke-width: 2; }
.warmup { fill: var(--shade); }
.interval { stroke-width: 2.5; }
.fill { stroke: none; fill: var(--c); background: var(--c); }
.stroke, .interval { fill: none; stroke: var(--c); }
.stroke { stroke-width: 1.5; }
.hollow { fill: var(--paper); stroke: var(--c); stroke-width: 2; }
.c0, .s0, .r4 { --c: var(--k0); } .c1, .s1, .r1 { --c: var(--k1); }
.c2, .s2, .r3 { --c: var(--k2); } .c3, .s3, .r2 { --c: var(--k3); }
.c4, .s4, .r0 { --c: var(--k4); } .c5 { --c: var(--k5); }
.c6 { --c: var(--k6); } .c7 { --c: var(--k7); }
@media print { body { max-width: none; } h2 { break-after: avoid; } }
)";

std::string key(const std::string& css) {
  return "<i class=\"key fill " + css + "\"></i>";
}

std::string cell(double value) {
  return "<td>" + short_number(value) + "</td>";
}

/// A heading, a line about it, and a plot; nothing without the plot.
void part(std::ostream& out, const std::string& title, const std::string& words,
          const std::string& plot) {
  if (plot.empty()) return;
  out << "<h2>" << title << "</h2>\n<p>" << words
      << "</p>\n<div class=\"wide\">" << plot << "</div>\n";
}

void variants(std::ostream& out, const Result& result) {
  out << "<div class=\"wide\"><table class=\"words\"><tr><th>variant</th>"
         "<th>settings</th><th>device</th><th>dtype</th><th>opened in</th>"
         "</tr>\n";
  std::size_t place = 0;
  for (const VariantResult& each : result.variants) {
    out << "<tr><td>" << (each.missing ? "" : key(colour(place)))
        << escaped(each.name) << "</td><td>"
        << (each.settings.empty() ? "the file as it is"
                                  : escaped(each.settings))
        << "</td><td>" << escaped(each.device) << "</td>";
    if (each.missing) {
      out << "<td colspan=\"2\">missing: " << escaped(*each.missing) << "</td>";
    } else {
      out << "<td>" << escaped(each.dtype) << "</td><td>"
          << short_number(each.open_s) << " s</td>";
      ++place;
    }
    out << "</tr>\n";
  }
  out << "</table></div>\n";
}

void numbers(std::ostream& out, const Result& result) {
  out << "<h2>Numbers</h2>\n<p>Medians, and the value that 95 of 100 requests "
         "do not exceed (p95). Times in ms.</p>\n<div class=\"wide\"><table>"
         "<tr><th></th><th>first</th><th>p95</th><th>between</th><th>p95</th>"
         "<th>request</th><th>p95</th><th>queue</th><th>p95</th>"
         "<th>tokens/s</th><th>requests/s</th></tr>\n";
  for (const PlotRow& row : plot_rows(result)) {
    const Measured& m = *row.measured;
    const Speed fast = speed(m);
    out << "<tr><td>" << key(colour(row.variant)) << escaped(row.label)
        << "</td>";
    for (const auto& values :
         {m.each([](const Timed& t) { return t.first_ms; }), m.gaps(),
          m.each([](const Timed& t) { return t.whole_ms; }),
          m.each([](const Timed& t) { return t.wait_ms; })}) {
      if (values.empty()) {
        out << "<td></td><td></td>";
      } else {
        out << cell(median(values)) << cell(percentile(values, 0.95));
      }
    }
    out << (fast.tokens > 0 ? cell(fast.tokens) : "<td></td>")
        << cell(fast.requests) << "</tr>\n";
  }
  out << "</table></div>\n";
}

std::string legend(const std::string& kind,
                   const std::vector<std::string>& names) {
  std::string out = "<span class=\"legend\">";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    out += "<span>" + key(kind + std::to_string(i)) + names[i] + "</span>";
  }
  return out + "</span>";
}

std::string reasons() {
  return legend("r", {"", "full: no room for more", "waited: for max_wait",
                      "drained: nothing more came",
                      "running: those that already run went on"});
}

/// How the warm-up was found, and where it was not.
std::string warmup_words(const Result& result) {
  std::string out =
      "Variants take turns, so what else the machine does meets them alike. "
      "The shaded runs are the warm-up and count nowhere: unless a number was "
      "given, the cut that makes the standard error of the rest least (MSER, "
      "White 1997), for all variants the same.";
  for (const Measured& each : result.present().front()->loads) {
    if (each.is_steady) continue;
    out += " <b>" + escaped(each.load.text()) +
           ": still getting faster when the rounds ended.</b>";
  }
  return out;
}

}  // namespace

std::string to_html(const Result& result) {
  std::ostringstream out;
  out << "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width\"><title>"
      << escaped(result.pipeline) << ": pipeline-bench</title><style>" << kStyle
      << "</style></head><body>\n<h1>" << escaped(result.pipeline)
      << "</h1>\n<p>" << escaped(result.model)
      << (result.model.empty() ? "" : " · ") << escaped(result.processor)
      << " · " << result.threads
      << (result.threads == 1 ? " thread · " : " threads · ") << result.runs
      << " runs of each · at most " << short_number(result.peak_mib)
      << " MiB · Penstock " PENSTOCK_SDK_VERSION "</p>\n";
  variants(out, result);
  part(out, "How much faster",
       "Each run by the run of A beside it; the bar holds the true value in 95 "
       "of 100 such measurements (expanded percentile bootstrap of the paired "
       "runs, Hesterberg 2015). Hollow: no clear difference.",
       ratios_plot(result));
  numbers(out, result);
  part(out, "Time to the first output", "Of every request; the box has half.",
       latency_plot(result, /*is_first=*/true));
  part(out, "Time of a request", "Of every request; the box has half.",
       latency_plot(result, /*is_first=*/false));
  part(out, "Where the time goes",
       "Stages that run for many requests at once are shared out. " +
           legend("s",
                  {"preprocess", "batch", "forward", "decode", "postprocess"}),
       stages_plot(result));
  part(out, "Sequences in a step", "Why steps closed: " + reasons(),
       steps_plot(result));
  part(out, "Every run", warmup_words(result), rounds_plot(result));
  out << "</body></html>\n";
  return out.str();
}

}  // namespace penstock::bench
