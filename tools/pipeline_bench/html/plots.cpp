#include "pipeline_bench/html/plots.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "penstock/batch.h"
#include "pipeline_bench/html/rows.h"

namespace penstock::bench {
namespace {

std::string count_text(std::int64_t count) { return std::to_string(count); }

/// The place of a comparison's variant among those present.
std::size_t place_of_variant(const Result& result, const VariantResult* one) {
  const auto there = result.present();
  return static_cast<std::size_t>(std::find(there.begin(), there.end(), one) -
                                  there.begin());
}

/// The bars of one variant under one load: a column for each size of a step.
void draw_columns(Svg& svg, const StepCounts& steps, double x, double y,
                  double width, double height) {
  const auto sizes = static_cast<double>(steps.by_size.size());
  const double slot = width / std::max(1.0, sizes);
  const double bar = std::min(34.0, slot * 0.7);
  const auto most =
      static_cast<double>(std::max<std::int64_t>(1, steps.most()));
  double left = x + (slot - bar) / 2;
  // Labels of many sizes would run into each other.
  const int stride = static_cast<int>(std::ceil(22 / slot));
  int place = 0;
  for (const auto& [size, counts] : steps.by_size) {
    double top = y + height;
    for (std::size_t why = 0; why < counts.size(); ++why) {
      if (counts.at(why) == 0) continue;
      const double tall = height * static_cast<double>(counts.at(why)) / most;
      top -= tall;
      svg.rect(
          left, top, bar, tall, "fill r" + std::to_string(why),
          count_text(counts.at(why)) + " steps of " + std::to_string(size) +
              " sequences, closed: " + to_string(static_cast<Closed>(why)));
    }
    if (place++ % stride == 0) {
      svg.text(left + bar / 2, y + height + 14, std::to_string(size), "middle",
               "tick");
    }
    left += slot;
  }
  svg.line(x, y + height, x + width, y + height, "axis");
  svg.text(x, y - 4, "most: " + count_text(steps.most()) + " steps", "start",
           "tick");
}

/// Times of every run of one load, in milliseconds: a line for each variant.
struct Rounds {
  std::vector<std::vector<double>> lines;
  double most = 0;
};

Rounds rounds_of(const Result& result, std::size_t load) {
  Rounds out;
  for (const VariantResult* variant : result.present()) {
    const Measured& m = variant->loads[load];
    auto& line = out.lines.emplace_back();
    for (const Run& run : m.runs) {
      std::vector<double> whole;
      for (const Timed& timed : run.requests) whole.push_back(timed.whole_ms);
      line.push_back(m.load.is_open() ? mean(whole) : run.seconds() * 1e3);
      out.most = std::max(out.most, line.back());
    }
  }
  return out;
}

void draw_rounds(Svg& svg, const Rounds& rounds, const Measured& first,
                 double y, double height) {
  const double right = kWidth - kRight;
  const Scale across{.low = 0,
                     .high = static_cast<double>(first.runs.size()),
                     .from = kLeft,
                     .to = right};
  const Scale up{
      .low = 0, .high = rounds.most * 1.1, .from = y + height, .to = y};
  svg.rect(kLeft, y, across.at(static_cast<double>(first.warmup)) - kLeft,
           height, "warmup", "warm-up, not counted");
  for (const double tick : up.ticks(3)) {
    svg.line(kLeft, up.at(tick), right, up.at(tick), "grid");
    svg.text(kLeft - 8, up.at(tick) + 4, short_number(tick), "end", "tick");
  }
  for (std::size_t i = 0; i < rounds.lines.size(); ++i) {
    std::vector<std::pair<double, double>> points;
    for (std::size_t k = 0; k < rounds.lines[i].size(); ++k) {
      points.emplace_back(across.at(static_cast<double>(k) + 0.5),
                          up.at(rounds.lines[i][k]));
    }
    svg.path(points, "stroke " + colour(i));
    for (std::size_t k = 0; k < points.size(); ++k) {
      svg.circle(points[k].first, points[k].second, 3, "fill " + colour(i),
                 "run " + std::to_string(k + 1) + ": " +
                     short_number(rounds.lines[i][k]) + " ms");
    }
  }
  svg.text(kLeft, y - 6, first.load.text() + ", ms", "start", "tick");
}

}  // namespace

std::string ratios_plot(const Result& result) {
  const auto all = comparisons(result);
  if (all.empty()) return "";
  constexpr double kLine = 24;
  constexpr double kNames = 290;
  double low = 1;
  double high = 1;
  for (const Comparison& each : all) {
    low = std::min(low, each.ratio.low);
    high = std::max(high, each.ratio.high);
  }
  const double end = kTop + kLine * static_cast<double>(all.size());
  Svg svg(kWidth, end + kBottom, "how many times as fast each variant is");
  const Scale scale{.low = low / 1.05,
                    .high = high * 1.05,
                    .from = kNames,
                    .to = kWidth - kRight,
                    .is_log = true};
  svg.axis(scale, end, kTop,
           "times as fast as " + all.front().base->name +
               ", log scale; right of 1 is faster");
  svg.line(scale.at(1), kTop, scale.at(1), end, "one");
  double y = kTop + kLine / 2;
  for (const Comparison& each : all) {
    const Ratio& ratio = each.ratio;
    const std::string load = each.other->loads[each.load].load.text();
    const std::string css = colour(place_of_variant(result, each.other));
    svg.text(kNames - 12, y + 4,
             each.other->name + ", " + load + ", " + each.metric, "end");
    svg.line(scale.at(ratio.low), y, scale.at(ratio.high), y,
             "interval " + css);
    svg.circle(scale.at(ratio.value), y, ratio.is_clear() ? 5 : 3.5,
               (ratio.is_clear() ? "fill " : "hollow ") + css,
               short_number(ratio.value) + " (" + short_number(ratio.low) +
                   " to " + short_number(ratio.high) + ")");
    y += kLine;
  }
  return svg.take();
}

std::string stages_plot(const Result& result) {
  const auto rows = plot_rows(result);
  double most = 0;
  const auto parts = [](const StageTimes& t) {
    return std::array{t.preprocess, t.batch, t.forward, t.decode,
                      t.postprocess};
  };
  static constexpr std::array kNames{"preprocess", "batch", "forward", "decode",
                                     "postprocess"};
  for (const PlotRow& row : rows) {
    double sum = 0;
    for (const double part : parts(stage_times(*row.measured))) sum += part;
    most = std::max(most, sum);
  }
  if (most == 0) return "";
  const double end = rows.back().y + kRow;
  Svg svg(kWidth, end + kBottom, "time of each stage");
  const Scale scale{
      .low = 0, .high = most * 1.02, .from = kLeft, .to = kWidth - kRight};
  svg.axis(scale, end, kTop, "ms for each request");
  for (const PlotRow& row : rows) {
    svg.text(kLeft - 10, row.y + kRow / 2 + 4, row.label, "end");
    double sum = 0;
    const auto times = parts(stage_times(*row.measured));
    for (std::size_t i = 0; i < times.size(); ++i) {
      const double left = scale.at(sum);
      sum += times.at(i);
      svg.rect(
          left, row.y + 4, scale.at(sum) - left, kRow - 8,
          "fill s" + std::to_string(i),
          std::string(kNames.at(i)) + ": " + short_number(times.at(i)) + " ms");
    }
  }
  return svg.take();
}

std::string steps_plot(const Result& result) {
  constexpr double kTall = 110;
  constexpr double kGap = 52;
  constexpr int kColumns = 2;
  const auto rows = plot_rows(result);
  if (rows.empty()) return "";
  const double wide = kWidth / kColumns;
  const std::size_t lines = (rows.size() + kColumns - 1) / kColumns;
  Svg svg(kWidth, kGap * 0.7 + static_cast<double>(lines) * (kTall + kGap),
          "number of sequences in a step");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double x = static_cast<double>(i % kColumns) * wide + 14;
    const double y =
        kGap * 0.7 + static_cast<double>(i / kColumns) * (kTall + kGap);
    svg.text(x + wide - 44, y - 4, rows[i].label, "end");
    draw_columns(svg, rows[i].measured->steps, x, y, wide - 40, kTall);
  }
  return svg.take();
}

std::string rounds_plot(const Result& result) {
  constexpr double kTall = 120;
  constexpr double kGap = 34;
  const auto there = result.present();
  if (there.empty() || there.front()->loads.empty()) return "";
  const auto& loads = there.front()->loads;
  Svg svg(kWidth, static_cast<double>(loads.size()) * (kTall + kGap) + 20,
          "time of every run, in their order");
  double y = kGap;
  for (std::size_t load = 0; load < loads.size(); ++load) {
    draw_rounds(svg, rounds_of(result, load), loads[load], y, kTall);
    y += kTall + kGap;
  }
  return svg.take();
}

}  // namespace penstock::bench
