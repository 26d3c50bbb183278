// Plots that have a row for each variant under each load.
#pragma once

#include <string>
#include <vector>

#include "pipeline_bench/html/svg.h"
#include "pipeline_bench/report.h"

namespace penstock::bench {

inline constexpr double kWidth = 860, kLeft = 130, kRight = 24;
inline constexpr double kTop = 10, kBottom = 46;

/// "c0" to "c7": the colour of a variant by its place.
[[nodiscard]] inline std::string colour(std::size_t variant) {
  return "c" + std::to_string(variant % 8);
}

struct PlotRow {
  const Measured* measured = nullptr;
  std::size_t variant = 0;  ///< its place among those present
  std::string label;        ///< "A, 8 at a time"
  double y = 0;             ///< its top, with a gap before another load
};

inline constexpr double kRow = 26;

/// Load by load, so that variants under the same load are neighbours.
[[nodiscard]] inline std::vector<PlotRow> plot_rows(const Result& result) {
  std::vector<PlotRow> rows;
  double y = kTop;
  const auto there = result.present();
  const std::size_t loads = there.empty() ? 0 : there.front()->loads.size();
  for (std::size_t load = 0; load < loads; ++load) {
    for (std::size_t i = 0; i < there.size(); ++i) {
      const Measured& m = there[i]->loads[load];
      rows.push_back({&m, i, there[i]->name + ", " + m.load.text(), y});
      y += kRow;
    }
    y += kRow / 3;
  }
  return rows;
}

}  // namespace penstock::bench
