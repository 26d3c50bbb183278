#include "pipeline_run/output/summary.h"

#include <iomanip>
#include <sstream>

namespace penstock::run {
namespace {

struct Line {
  const char* stage;
  double seconds;
};

}  // namespace

std::string brief(const Stats& s) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(1) << s.requests
      << (s.requests == 1 ? " request, " : " requests, ") << s.tokens_out
      << " tokens in " << s.wall_s << " s";
  if (s.wall_s > 0 && s.tokens_out > 0) {
    out << " (" << static_cast<double>(s.tokens_out) / s.wall_s << " tokens/s)";
  }
  if (s.failed > 0) out << ", " << s.failed << " unfinished";
  out << ", opened in " << s.open_s << " s\n";
  return out.str();
}

std::string table(const Stats& s) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(3);
  out << "stage         seconds   share of the run\n";
  for (const Line& line :
       {Line{"preprocess", s.preprocess_s},
        Line{"batch", s.plan_s + s.collate_s}, Line{"forward", s.forward_s},
        Line{"decode", s.decode_s}, Line{"postprocess", s.write_s}}) {
    const double share = s.wall_s > 0 ? line.seconds / s.wall_s * 100 : 0;
    out << std::left << std::setw(12) << line.stage << std::right
        << std::setw(9) << line.seconds << std::setprecision(1) << std::setw(9)
        << share << " %\n"
        << std::setprecision(3);
  }
  out << "wall        " << std::setw(9) << s.wall_s << "\n";
  out << "steps " << s.steps << ", at most " << s.most_sequences
      << " rows; tokens in " << s.tokens_in << ", out " << s.tokens_out
      << "; cut " << s.truncates << ", replayed " << s.replays << ", copied "
      << s.copies << ", reused " << s.reused << "\nbatches closed:";
  for (const Closed why :
       {Closed::kFull, Closed::kWaited, Closed::kDrained, Closed::kRunning}) {
    out << " " << to_string(why) << " "
        << s.closed_for.at(static_cast<std::size_t>(why));
  }
  out << "\n";
  if (s.without_items > 0) {
    out << "requests without an item, because no preprocess stage gave one: "
        << s.without_items << "\n";
  }
  return out.str();
}

}  // namespace penstock::run
