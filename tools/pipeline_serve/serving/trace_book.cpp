#include "pipeline_serve/serving/trace_book.h"

#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

namespace penstock::serve {
namespace {

using OutJson = nlohmann::ordered_json;

/// As the pipelines' own events have it.
double micros(Time time) {
  return std::chrono::duration<double, std::micro>(time.time_since_epoch())
      .count();
}

Time after(Time begin, double milliseconds) {
  return begin + std::chrono::duration_cast<Clock::duration>(
                     std::chrono::duration<double, std::milli>(milliseconds));
}

/// What stands between the brackets of a trace.
std::string events_of(const std::string& trace_json) {
  const auto begin = trace_json.find('[');
  const auto end = trace_json.rfind(']');
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::string out = trace_json.substr(begin + 1, end - begin - 1);
  const auto first = out.find_first_not_of(" \n");
  if (first == std::string::npos) return {};
  return out.substr(first, out.find_last_not_of(" \n") - first + 1);
}

/// Requests overlap, so their spans are of no thread: a begin and an end.
class Spans {
 public:
  explicit Spans(const TracedRequest& request) : request_(request) {
    args_ = {{"request", request.id}, {"model", request.model}};
    if (!request.parent) return;
    args_["trace_id"] = request.parent->trace_id;
    args_["parent_id"] = request.parent->parent_id;
  }
  void add(const char* name, Time begin, Time end, bool is_whole = false) {
    OutJson first = event(name, "b", begin);
    first["args"] = args_;
    if (is_whole) first["args"]["finish_reason"] = request_.finish_reason;
    text_ += (text_.empty() ? "" : ",\n") + json(first);
    text_ += ",\n" + json(event(name, "e", end));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  [[nodiscard]] OutJson event(const char* name, const char* phase,
                              Time time) const {
    return {{"name", name},      {"cat", "request"}, {"ph", phase},
            {"pid", 0},          {"tid", 0},         {"id", request_.id},
            {"ts", micros(time)}};
  }
  static std::string json(const OutJson& event) {
    return event.dump(-1, ' ', false, OutJson::error_handler_t::replace);
  }

  const TracedRequest& request_;
  OutJson args_;
  std::string text_;
};

}  // namespace

void TraceBook::add(std::deque<std::string>& to, std::size_t& bytes,
                    std::string text) {
  const std::scoped_lock lock(mutex_);
  bytes += text.size();
  to.push_back(std::move(text));
  while (bytes > most_bytes_) {
    bytes -= to.front().size();
    to.pop_front();
  }
}

void TraceBook::request(const TracedRequest& request) {
  Spans spans(request);
  spans.add("request", request.arrived, request.ended, /*is_whole=*/true);
  const Time begun = after(request.submitted, request.timing.queue_ms);
  const Time written = after(begun, request.timing.prefill_ms);
  const Time last = after(written, request.timing.decode_ms);
  spans.add("queue", request.submitted, begun);
  spans.add("prompt", begun, written);
  spans.add("answer", written, last);
  add(requests_, request_bytes_, spans.text());
}

void TraceBook::keep(const std::string& trace_json) {
  std::string events = events_of(trace_json);
  if (!events.empty()) add(closed_, closed_bytes_, std::move(events));
}

void TraceBook::write(const std::filesystem::path& file,
                      const std::vector<std::string>& running) const {
  // Whole or not at all: somebody may be looking at the one before.
  const auto part = std::filesystem::path(file).concat(".part");
  std::ofstream out(part, std::ios::binary);
  out << R"({"traceEvents":[)" << '\n'
      << R"({"name":"process_name","ph":"M","pid":0,"args":{"name":"requests"}})";
  {
    const std::scoped_lock lock(mutex_);
    for (const auto* all : {&closed_, &requests_}) {
      for (const std::string& events : *all) out << ",\n" << events;
    }
  }
  for (const std::string& trace : running) {
    const std::string events = events_of(trace);
    if (!events.empty()) out << ",\n" << events;
  }
  out << "\n]}\n";
  out.close();
  std::error_code failed;
  if (out) std::filesystem::rename(part, file, failed);
  if (!out || failed) {
    throw Error(Code::kRetry,
                str("cannot write the trace '", file.string(), "'"));
  }
}

}  // namespace penstock::serve
