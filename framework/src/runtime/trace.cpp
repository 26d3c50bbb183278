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

double Trace::micros(Time time) const {
  return std::chrono::duration<double, std::micro>(time - start_).count();
}

void Trace::add(std::string event) {
  const std::scoped_lock lock(mutex_);
  events_.push_back(std::move(event));
}

void Trace::span(const char* name, Time begin, Time end,
                 const std::string& args) {
  if (!is_enabled_) return;
  std::ostringstream out;
  out << std::fixed << std::setprecision(3) << R"({"name":")" << name
      << R"(","ph":"X","pid":1,"tid":)" << thread_id() << R"(,"ts":)"
      << micros(begin) << R"(,"dur":)" << micros(end) - micros(begin)
      << R"(,"args":{)" << args << "}}";
  add(out.str());
}

void Trace::count(const std::string& name, std::int64_t value) {
  if (!is_enabled_) return;
  std::ostringstream out;
  out << std::fixed << std::setprecision(3) << R"({"name":")" << name
      << R"(","ph":"C","pid":1,"ts":)" << micros(Clock::now())
      << R"(,"args":{"value":)" << value << "}}";
  add(out.str());
}

void Trace::name_thread(const std::string& name) {
  if (!is_enabled_) return;
  std::ostringstream out;
  out << R"({"name":"thread_name","ph":"M","pid":1,"tid":)" << thread_id()
      << R"(,"args":{"name":")" << name << R"("}})";
  add(out.str());
}

std::string Trace::json() const {
  const std::scoped_lock lock(mutex_);
  std::string out = "{\"traceEvents\":[\n";
  for (std::size_t i = 0; i < events_.size(); ++i) {
    out += events_[i];
    out += i + 1 < events_.size() ? ",\n" : "\n";
  }
  return out + "]}\n";
}

}  // namespace penstock
