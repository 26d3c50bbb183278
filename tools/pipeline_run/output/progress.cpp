#include "pipeline_run/output/progress.h"

#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>

namespace penstock::run {
namespace {

std::string duration(double seconds) {
  std::ostringstream out;
  const auto whole = std::lround(seconds);
  if (whole >= 3600) {
    out << whole / 3600 << " h " << whole % 3600 / 60 << " min";
  } else if (whole >= 60) {
    out << whole / 60 << " min " << whole % 60 << " s";
  } else {
    out << whole << " s";
  }
  return out.str();
}

}  // namespace

void Progress::count_done(bool is_failed) {
  ++done_;
  failed_ += is_failed ? 1 : 0;
}

void Progress::draw() {
  constexpr auto kPause = std::chrono::milliseconds(100);
  constexpr auto kFirst = std::chrono::milliseconds(500);
  const auto now = Clock::now();
  const bool is_early = now - start_ < kFirst;  // a short job needs none
  if (!is_on_ || is_early || done_ == 0 || now - drawn_ < kPause) return;
  drawn_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done_) / seconds;
  std::ostringstream out;
  out << done_;
  if (total_) out << " of " << *total_;
  out << " done";
  if (failed_ > 0) out << ", " << failed_ << " failed";
  out << std::fixed << std::setprecision(rate < 10 ? 2 : 0) << ", " << rate
      << "/s";
  if (total_ && *total_ > done_) {
    out << ", " << duration(static_cast<double>(*total_ - done_) / rate)
        << " left";
  }
  // Spaces, not an escape sequence: any terminal understands them.
  const std::string line = out.str();
  const std::size_t rest = width_ > line.size() ? width_ - line.size() : 0;
  std::cerr << line << std::string(rest, ' ') << "\r" << std::flush;
  width_ = line.size();
}

void Progress::clear() {
  if (width_ == 0) return;
  std::cerr << std::string(width_, ' ') << "\r" << std::flush;
  width_ = 0;
  drawn_ = {};
}

}  // namespace penstock::run
