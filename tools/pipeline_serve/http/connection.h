// One connection: reads requests one after another, gives each to the gate, and
// writes its answer before the next is read. Lives on the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline_serve/http/body.h"
#include "pipeline_serve/http/head.h"
#include "pipeline_serve/http/reply.h"
#include "pipeline_serve/http/wire.h"

namespace penstock::serve {

/// How an exchange went, for the access log.
struct Access {
  HttpRequest request;  ///< without its body
  int status = 0;
  std::size_t bytes = 0;  ///< of the answer's body
  double seconds = 0;    ///< from the request's first byte to the answer's last
  bool is_gone = false;  ///< the client left before the end
};

/// What a connection asks of the server. Called on the I/O thread.
class Gate {
 public:
  virtual ~Gate() = default;
  [[nodiscard]] virtual const Limits& limits() const = 0;
  /// The most bytes that the body of this request may have.
  virtual std::size_t body_limit(const HttpRequest& request) = 0;
  /// The request is whole. Must not wait.
  virtual void serve(HttpRequest request, std::shared_ptr<Reply> reply) = 0;
  /// Fields of every answer to `request`: CORS, security.
  virtual void decorate(const HttpRequest& request, Fields& fields) = 0;
  virtual void log(const Access& access) = 0;
  [[nodiscard]] virtual bool is_draining() const = 0;
  [[nodiscard]] virtual std::string next_id() = 0;
};

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Wire> wire, Gate& gate,
             boost::asio::any_io_executor executor,
             std::function<void()> closed);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  /// Ends when no request is in progress.
  void drain();
  void close();

 private:
  class Exchange;
  enum class Phase { kHead, kBody, kAnswer, kLinger, kClosed };

  void read();
  void ended();
  [[nodiscard]] bool probe();
  void take(std::string_view bytes);
  void process();
  bool process_head();
  bool process_body();
  void fail(const HttpError& error);
  void hand_on();

  // Of the exchange in progress, from its Reply:
  void send(const Answer& answer);
  void begin(const Answer& head);
  void write(const std::string& bytes);
  void end();
  void put_head(const Answer& answer, bool is_stream);
  void put(std::string bytes);
  void answered();
  void linger();
  void gone();
  void next();
  void drop();
  [[nodiscard]] bool is_of(const Exchange& exchange) const;

  void watch(double seconds);
  void tick(Time now);
  void flush();

  std::shared_ptr<Wire> wire_;
  Gate& gate_;
  boost::asio::any_io_executor executor_;
  std::function<void()> closed_;
  boost::asio::steady_timer timer_;
  Phase phase_ = Phase::kHead;
  std::string in_;
  bool is_reading_ = false;
  bool is_ended_ = false;  ///< the client sends no more
  Time until_{};           ///< when the phase must be over

  Head head_;
  HttpRequest request_;
  std::optional<BodyReader> body_;
  std::weak_ptr<Exchange> exchange_;
  std::vector<std::function<void()>> on_gone_;
  bool is_head_only_ = false, is_stream_ = false, has_answer_ = false;
  bool is_events_ = false, must_close_ = false;
  Access access_;

  std::deque<std::string> out_;
  std::size_t unread_ = 0;
  bool is_writing_ = false;
  Time written_{};  ///< when something last went out
};

}  // namespace penstock::serve
