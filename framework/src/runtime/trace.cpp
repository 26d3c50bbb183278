#include "runtime/trace.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <iomanip>
#include <sstream>
#include <utility>

namespace penstock {
namespace {

long thread_id() { return syscall(SYS_gettid); }

}  // namespace

Trace::Trace(bool is_enabled, int process, std::size_t most_events)
    : is_enabled_(is_enabled), process_(process), most_events_(most_events) {}

double Trace::micros(Time time) {
  return std::chrono::duration<double, std::micro>(time.time_since_epoch())
      .count();
}

void Trace::add(std::string event) {
  const std::scoped_lock lock(mutex_);
  if (events_.size() >= most_events_) events_.pop_front();
  events_.push_back(std::move(event));
}

void Trace::add_name(std::string event) {
  const std::scoped_lock lock(mutex_);
  names_.push_back(std::move(event));
}

void Trace::span(const char* name, Time begin, Time end,
                 const std::string& args) {
  if (!is_enabled_) return;
  std::ostringstream out;
  out << std::fixed << std::setprecision(3) << R"({"name":")" << name
      << R"(","ph":"X","pid":)" << process_ << R"(,"tid":)" << thread_id()
      << R"(,"ts":)" << micros(begin) << R"(,"dur":)"
      << micros(end) - micros(begin) << R"(,"args":{)" << args << "}}";
  add(out.str());
}

void Trace::count(const std::string& name, std::int64_t value) {
  if (!is_enabled_) return;
  std::ostringstream out;
  out << std::fixed << std::setprecision(3) << R"({"name":")" << name
      << R"(","ph":"C","pid":)" << process_ << R"(,"ts":)"
      << micros(Clock::now()) << R"(,"args":{"value":)" << value << "}}";
  add(out.str());
}

void Trace::name_thread(const std::string& name) {
  if (!is_enabled_) return;
  std::ostringstream out;
  out << R"({"name":"thread_name","ph":"M","pid":)" << process_ << R"(,"tid":)"
      << thread_id() << R"(,"args":{"name":")" << name << R"("}})";
  add_name(out.str());
}

void Trace::name_process(const std::string& name) {
  if (!is_enabled_) return;
  add_name(str(R"({"name":"process_name","ph":"M","pid":)", process_,
               R"(,"args":{"name":")", name, R"("}})"));
}

std::string Trace::events() const {
  const std::scoped_lock lock(mutex_);
  std::string out;
  const auto put = [&](const std::string& event) {
    if (!out.empty()) out += ",\n";
    out += event;
  };
  for (const std::string& name : names_) put(name);
  for (const std::string& event : events_) put(event);
  return out;
}

std::string Trace::json() const {
  const std::string all = events();
  return "{\"traceEvents\":[\n" + all + (all.empty() ? "]}\n" : "\n]}\n");
}

}  // namespace penstock
