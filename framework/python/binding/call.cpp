#include "binding/call.h"

#include <atomic>
#include <chrono>

namespace penstock::python {
namespace {

constexpr auto kLook = std::chrono::milliseconds(50);

std::int64_t next_number() {
  static std::atomic<std::int64_t> last = kRoom;
  return ++last;
}

void add(const Value& value, Written& to) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    to.text += *text;
    to.has_text = true;
  } else if (const auto* json = std::get_if<Json>(&value)) {
    to.json.push_back(json->text);
  } else if (const auto* tensors = std::get_if<Tensors>(&value)) {
    to.tensors.push_back(*tensors);
  }
}

}  // namespace

Call::Call(std::string id, std::string last, bool is_streamed,
           std::shared_ptr<Board> board, std::shared_ptr<Watch> watch)
    : id_(std::move(id)),
      last_(std::move(last)),
      is_streamed_(is_streamed),
      number_(next_number()),
      board_(std::move(board)),
      watch_(std::move(watch)) {}

Call::~Call() = default;

Part& Call::current(const Request& request) {
  Part& part = open_[request.step];
  part.step = request.step;
  return part;
}

void Call::piece(const Request& request, const Value& value, int branch,
                 bool /*is_final*/) {
  const bool is_read = is_streamed_ && request.step == last_;
  {
    const std::scoped_lock lock(mutex_);
    add(value, current(request).branches[branch]);
    if (is_read) pieces_.push_back({.branch = branch, .value = value});
  }
  if (!is_read) return;
  changed_.notify_all();
  if (watch_ != nullptr) watch_->tell(number_);
}

void Call::part_done(const Request& request, const Report& report) {
  const std::scoped_lock lock(mutex_);
  Part part = std::move(current(request));
  open_.erase(request.step);
  part.report = report;
  parts_.push_back(std::move(part));
}

void Call::done(const Request& /*request*/, const Report& report) {
  // First, so that whoever waited for the end finds the place free.
  board_->leave();
  {
    const std::scoped_lock lock(mutex_);
    report_ = report;
    is_over_ = true;
    stop_ = std::stop_source(std::nostopstate);
  }
  changed_.notify_all();
  if (watch_ != nullptr) watch_->tell(number_);
}

void Call::set_stop(const std::stop_source& stop) {
  std::unique_lock lock(mutex_);
  if (is_over_) return;
  stop_ = stop;
  if (!is_cancelled_) return;
  lock.unlock();
  std::stop_source(stop).request_stop();
}

void Call::cancel() {
  std::stop_source stop(std::nostopstate);
  {
    const std::scoped_lock lock(mutex_);
    is_cancelled_ = true;
    stop = stop_;
  }
  // Not under the lock: it may call done() from here.
  if (stop.stop_possible()) stop.request_stop();
}

bool Call::is_over() {
  const std::scoped_lock lock(mutex_);
  return is_over_;
}

bool Call::wait_for_end() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kLook, [&] { return is_over_; });
}

bool Call::wait_for_piece() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kLook,
                           [&] { return is_over_ || !pieces_.empty(); });
}

std::optional<Piece> Call::take_piece() {
  const std::scoped_lock lock(mutex_);
  if (pieces_.empty()) return std::nullopt;
  Piece piece = std::move(pieces_.front());
  pieces_.pop_front();
  return piece;
}

bool Call::was_closed() const {
  return report_.ending == Ending::kCancelled && board_->is_closed();
}

}  // namespace penstock::python
