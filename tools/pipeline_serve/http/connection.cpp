#include "pipeline_serve/http/connection.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <sstream>
#include <utility>
#include <variant>

#include "pipeline_serve/http/router.h"

namespace penstock::serve {
namespace {

namespace asio = boost::asio;

/// Requests that wait behind the one in progress: more is not read meanwhile.
constexpr std::size_t kMostAhead = std::size_t{64} << 10U;
/// How long what a refused client still sends is thrown away, so that it can
/// read why.
constexpr double kLinger = 1;
/// Between looks at an answer in progress.
constexpr double kTick = 1;

Time in(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(seconds));
}

std::string chunk(const std::string& bytes) {
  std::ostringstream out;
  out << std::hex << bytes.size() << "\r\n" << bytes << "\r\n";
  return out.str();
}

}  // namespace

/// Carries the calls of any thread to the connection's own. What nobody
/// answers is answered when it goes.
class Connection::Exchange final
    : public Reply,
      public std::enable_shared_from_this<Connection::Exchange> {
 public:
  Exchange(std::weak_ptr<Connection> connection, asio::any_io_executor executor)
      : connection_(std::move(connection)), executor_(std::move(executor)) {}
  ~Exchange() override {
    if (is_over_) return;
    asio::post(executor_, [connection = connection_] {
      const auto at = connection.lock();
      if (at && at->exchange_.expired()) at->drop();
    });
  }
  void send(Answer answer) override {
    has_begun_ = is_over_ = true;
    call([answer = std::move(answer)](Connection& at) { at.send(answer); });
  }
  void begin(Answer head) override {
    has_begun_ = true;
    call([head = std::move(head)](Connection& at) { at.begin(head); });
  }
  void write(std::string bytes) override {
    call([bytes = std::move(bytes)](Connection& at) { at.write(bytes); });
  }
  void end() override {
    is_over_ = true;
    call([](Connection& at) { at.end(); });
  }
  [[nodiscard]] bool has_begun() const override { return has_begun_; }
  void on_gone(std::function<void()> call) override {
    asio::post(executor_, [self = shared_from_this(), call = std::move(call)] {
      const auto at = self->connection_.lock();
      if (!at || !at->is_of(*self)) return call();
      at->on_gone_.push_back(call);
    });
  }

 private:
  template <class Do>
  void call(Do act) {
    asio::post(executor_, [self = shared_from_this(), act = std::move(act)] {
      const auto at = self->connection_.lock();
      if (at && at->is_of(*self)) act(*at);
    });
  }

  std::weak_ptr<Connection> connection_;
  asio::any_io_executor executor_;
  std::atomic<bool> has_begun_{false}, is_over_{false};
};

Connection::Connection(std::shared_ptr<Wire> wire, Gate& gate,
                       asio::any_io_executor executor,
                       std::function<void()> closed)
    : wire_(std::move(wire)),
      gate_(gate),
      executor_(std::move(executor)),
      closed_(std::move(closed)),
      timer_(executor_) {}

Connection::~Connection() { closed_(); }

void Connection::start() {
  watch(gate_.limits().header_s);
  wire_->open([self = shared_from_this()](bool is_open) {
    if (!is_open) return self->close();
    self->read();
  });
}

void Connection::drain() {
  must_close_ = true;
  if (phase_ == Phase::kHead && in_.empty() && out_.empty()) close();
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  const bool was_busy = phase_ == Phase::kAnswer;
  phase_ = Phase::kClosed;
  timer_.cancel();
  wire_->close();
  if (was_busy) gone();
}

void Connection::read() {
  if (phase_ == Phase::kAnswer && has_answer_ && must_close_) return;
  const bool is_full = phase_ == Phase::kAnswer && in_.size() > kMostAhead;
  if (is_reading_ || is_full || is_ended_ || phase_ == Phase::kClosed) return;
  is_reading_ = true;
  wire_->read(
      [self = shared_from_this()](bool is_open, std::string_view bytes) {
        self->is_reading_ = false;
        if (!is_open) return self->ended();
        self->take(bytes);
        self->read();
      });
}

/// The client sends no more: it has gone, or has closed one half and waits.
void Connection::ended() {
  is_ended_ = true;
  if (phase_ != Phase::kAnswer) return close();
  if (!has_answer_ && !probe()) close();
}

/// Sends what means nothing to one who waits; the system of one who has gone
/// refuses it, and then the request ends. False: the two cannot be told apart.
bool Connection::probe() {
  if (head_.minor == 0 || (is_stream_ && !is_events_)) return false;
  if (!wire_->on_refused([self = shared_from_this()] { self->close(); })) {
    return false;
  }
  if (is_stream_) {
    write(": ping\n\n");
  } else {
    put("HTTP/1.1 100 Continue\r\n\r\n");
  }
  return true;
}

void Connection::take(std::string_view bytes) {
  if (phase_ == Phase::kLinger || phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kHead && in_.empty()) watch(gate_.limits().header_s);
  in_.append(bytes);
  process();
}

void Connection::process() {
  try {
    while (true) {
      if (phase_ == Phase::kHead) {
        if (!process_head()) return;
      } else if (phase_ == Phase::kBody) {
        if (!process_body()) return;
      } else {
        return;
      }
    }
  } catch (const HttpError& error) {
    fail(error);
  }
}

bool Connection::process_head() {
  if (in_.empty()) return false;
  const std::size_t size = head_size(in_);
  if (size == 0) {
    if (const auto error = look_early(in_, gate_.limits()))
      throw HttpError(*error);
    return false;
  }
  request_ = {};
  request_.id = gate_.next_id();
  request_.arrived = Clock::now();
  auto head = read_head(std::string_view(in_).substr(0, size), gate_.limits());
  if (const auto* error = std::get_if<HttpError>(&head))
    throw HttpError(*error);
  head_ = std::move(std::get<Head>(head));
  in_.erase(0, size);
  is_head_only_ = head_.method == "HEAD";
  request_.method = is_head_only_ ? "GET" : head_.method;
  request_.path = head_.target.substr(0, head_.target.find('?'));
  request_.fields = head_.fields;
  body_.emplace(head_, gate_.body_limit(request_));
  phase_ = Phase::kBody;
  watch(gate_.limits().body_s);
  if (head_.wants_continue && in_.empty() && !body_->is_whole()) {
    put("HTTP/1.1 100 Continue\r\n\r\n");
  }
  return true;
}

bool Connection::process_body() {
  body_->read(in_);
  if (!body_->is_whole()) return false;
  hand_on();
  return true;
}

void Connection::hand_on() {
  request_.body = body_->take();
  body_.reset();
  phase_ = Phase::kAnswer;
  must_close_ = must_close_ || !head_.keeps_alive;
  has_answer_ = is_stream_ = false;
  access_ = {};
  access_.request = request_;
  access_.request.body.clear();
  watch(kTick);
  const auto exchange = std::make_shared<Exchange>(weak_from_this(), executor_);
  exchange_ = exchange;
  gate_.serve(std::move(request_), exchange);
}

/// What went wrong before there was a request to hand on.
void Connection::fail(const HttpError& error) {
  access_ = {};
  access_.request = request_;
  phase_ = Phase::kAnswer;
  must_close_ = true;
  has_answer_ = is_stream_ = false;
  exchange_.reset();
  body_.reset();
  written_ = Clock::now();
  std::string().swap(in_);
  send(answer_of(error, access_.request.path));
}

void Connection::drop() {
  if (phase_ != Phase::kAnswer || has_answer_) return;
  if (is_stream_) return close();
  send(answer_of(http_error(500, "nothing answered"), access_.request.path));
}

bool Connection::is_of(const Exchange& exchange) const {
  return phase_ == Phase::kAnswer && exchange_.lock().get() == &exchange;
}

void Connection::send(const Answer& answer) {
  if (phase_ != Phase::kAnswer || has_answer_ || is_stream_) return;
  put_head(answer, /*is_stream=*/false);
  if (!is_head_only_) put(answer.body);
  access_.bytes = answer.body.size();
  answered();
}

void Connection::begin(const Answer& head) {
  if (phase_ != Phase::kAnswer || has_answer_ || is_stream_) return;
  is_stream_ = true;
  is_events_ = head.type.starts_with("text/event-stream");
  if (head_.minor == 0) must_close_ = true;
  put_head(head, /*is_stream=*/true);
  write(head.body);
}

void Connection::write(const std::string& bytes) {
  if (phase_ != Phase::kAnswer || !is_stream_ || bytes.empty()) return;
  access_.bytes += bytes.size();
  if (is_head_only_) return;
  put(head_.minor == 0 ? bytes : chunk(bytes));
}

void Connection::end() {
  if (phase_ != Phase::kAnswer || !is_stream_) return;
  if (!is_head_only_ && head_.minor != 0) put("0\r\n\r\n");
  answered();
}

void Connection::put_head(const Answer& answer, bool is_stream) {
  access_.status = answer.status;
  must_close_ =
      must_close_ || gate_.is_draining() || (is_ended_ && in_.empty());
  std::ostringstream out;
  out << "HTTP/1.1 " << answer.status << ' ' << reason(answer.status) << "\r\n";
  Fields fields = answer.fields;
  gate_.decorate(access_.request, fields);
  for (const auto& [name, value] : fields.all()) {
    out << name << ": " << value << "\r\n";
  }
  const bool has_body = answer.status != 204;
  if (has_body) out << "Content-Type: " << answer.type << "\r\n";
  if (is_stream && head_.minor != 0) {
    out << "Transfer-Encoding: chunked\r\n";
  } else if (!is_stream && has_body) {
    out << "Content-Length: " << answer.body.size() << "\r\n";
  }
  out << "x-request-id: " << access_.request.id << "\r\n";
  if (must_close_) {
    out << "Connection: close\r\n";
  } else if (head_.minor == 0) {
    out << "Connection: keep-alive\r\n";
  }
  out << "\r\n";
  put(out.str());
}

void Connection::put(std::string bytes) {
  if (bytes.empty()) return;
  unread_ += bytes.size();
  if (out_.empty()) written_ = Clock::now();
  out_.push_back(std::move(bytes));
  if (is_stream_ && unread_ > gate_.limits().unread_bytes) return close();
  flush();
}

void Connection::flush() {
  if (is_writing_ || out_.empty() || phase_ == Phase::kClosed) return;
  is_writing_ = true;
  wire_->write(out_.front(), [self = shared_from_this()](bool is_open) {
    self->is_writing_ = false;
    if (!is_open || self->phase_ == Phase::kClosed) return self->close();
    self->unread_ -= self->out_.front().size();
    self->written_ = Clock::now();
    self->out_.pop_front();
    self->flush();
    if (self->out_.empty() && self->has_answer_) self->next();
  });
}

/// The answer is whole, if not yet written.
void Connection::answered() {
  has_answer_ = true;
  on_gone_.clear();
  access_.seconds =
      std::chrono::duration<double>(Clock::now() - access_.request.arrived)
          .count();
  gate_.log(access_);
  if (out_.empty()) next();
}

void Connection::next() {
  if (phase_ != Phase::kAnswer) return;
  has_answer_ = is_stream_ = false;
  exchange_.reset();
  if (must_close_) return linger();
  phase_ = Phase::kHead;
  if (in_.empty()) {
    std::string().swap(in_);
    watch(gate_.limits().idle_s);
  } else {
    watch(gate_.limits().header_s);
  }
  // Not from within a call of the exchange that just ended.
  asio::post(executor_, [self = shared_from_this()] {
    self->process();
    if (self->is_ended_ && self->phase_ != Phase::kAnswer) self->close();
    self->read();
  });
}

void Connection::linger() {
  phase_ = Phase::kLinger;
  std::string().swap(in_);
  wire_->finish();
  if (is_ended_) return close();
  watch(kLinger);
  read();
}

void Connection::gone() {
  if (!has_answer_) {
    access_.is_gone = true;
    gate_.log(access_);
  }
  for (const auto& call : std::exchange(on_gone_, {})) call();
}

/// Looks at the clock after so many seconds, and not before.
void Connection::watch(double seconds) {
  until_ = in(seconds);
  timer_.expires_at(until_);
  // It holds the connection, which may have nothing to read or write.
  timer_.async_wait(
      [self = shared_from_this()](boost::system::error_code error) {
        if (!error) self->tick(Clock::now());
      });
}

void Connection::tick(Time now) {
  const auto silent = std::chrono::duration<double>(now - written_).count();
  if (!out_.empty() && silent > gate_.limits().write_s) return close();
  if (phase_ == Phase::kClosed || now < until_) return;
  if (phase_ == Phase::kAnswer) {
    watch(kTick);
    if (is_stream_ && is_events_ && out_.empty() &&
        silent > gate_.limits().ping_s) {
      write(": ping\n\n");
      written_ = now;
    }
    return;
  }
  const bool is_idle = phase_ == Phase::kHead && in_.empty();
  if (is_idle || phase_ == Phase::kLinger) return close();
  fail(http_error(408, phase_ == Phase::kHead ? "the header came too slowly"
                                              : "the body came too slowly"));
}

}  // namespace penstock::serve
