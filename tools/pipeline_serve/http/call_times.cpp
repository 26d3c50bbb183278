#include "pipeline_serve/http/call_times.h"

#include <algorithm>
#include <atomic>
#include <iomanip>
#include <sstream>

namespace penstock::serve {
namespace {

class TimedReply final : public Reply {
 public:
  TimedReply(std::shared_ptr<Reply> reply, std::shared_ptr<CallTimes> times)
      : reply_(std::move(reply)), times_(std::move(times)) {}
  void send(Answer answer) override {
    answer.fields.add("Server-Timing", times_->text(Clock::now()));
    reply_->send(std::move(answer));
  }
  void begin(Answer head) override {
    is_events_ = head.type.starts_with("text/event-stream");
    reply_->begin(std::move(head));
  }
  void write(std::string bytes) override { reply_->write(std::move(bytes)); }
  void end() override {
    if (is_events_) {
      reply_->write(": timing " + times_->text(Clock::now()) + "\n\n");
    }
    reply_->end();
  }
  [[nodiscard]] bool has_begun() const override { return reply_->has_begun(); }
  void on_gone(std::function<void()> call) override {
    reply_->on_gone(std::move(call));
  }

 private:
  std::shared_ptr<Reply> reply_;
  std::shared_ptr<CallTimes> times_;
  std::atomic<bool> is_events_{false};
};

}  // namespace

double& CallTimes::phase(const std::string& name, double fallback) {
  const auto found =
      std::find_if(phases_.begin(), phases_.end(),
                   [&](const auto& phase) { return phase.first == name; });
  if (found != phases_.end()) return found->second;
  return phases_.emplace_back(name, fallback).second;
}

void CallTimes::longest(const std::string& phase, double milliseconds) {
  const std::scoped_lock lock(mutex_);
  double& kept = this->phase(phase, milliseconds);
  kept = std::max(kept, milliseconds);
}

void CallTimes::shortest(const std::string& phase, double milliseconds) {
  const std::scoped_lock lock(mutex_);
  double& kept = this->phase(phase, milliseconds);
  kept = std::min(kept, milliseconds);
}

std::string CallTimes::text(Time now) const {
  std::ostringstream out;
  out << std::fixed << std::setprecision(3);
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, milliseconds] : phases_) {
    out << name << ";dur=" << milliseconds << ", ";
  }
  out << "total;dur="
      << std::chrono::duration<double, std::milli>(now - arrived_).count();
  return out.str();
}

std::shared_ptr<Reply> timed_reply(std::shared_ptr<Reply> reply,
                                   std::shared_ptr<CallTimes> times) {
  return std::make_shared<TimedReply>(std::move(reply), std::move(times));
}

}  // namespace penstock::serve
