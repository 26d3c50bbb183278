#include "pipeline_serve/http/wire.h"

#include <array>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace penstock::serve {
namespace {

namespace asio = boost::asio;
using Problem = boost::system::error_code;

/// Waits without a buffer of its own: idle connections cost little.
class PlainWire final : public Wire,
                        public std::enable_shared_from_this<PlainWire> {
 public:
  explicit PlainWire(Socket socket) : socket_(std::move(socket)) {
    Problem ignored;
    socket_.non_blocking(true, ignored);
  }
  void open(OnWritten call) override { call(true); }
  void read(OnRead call) override {
    socket_.async_wait(
        Socket::wait_read,
        [self = shared_from_this(), call = std::move(call)](Problem problem) {
          if (problem) return call(false, {});
          self->read_now(call);
        });
  }
  void write(std::string_view bytes, OnWritten call) override {
    asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()),
                      [self = shared_from_this(), call = std::move(call)](
                          Problem problem, std::size_t) { call(!problem); });
  }
  bool on_refused(std::function<void()> call) override {
    socket_.async_wait(Socket::wait_error,
                       [self = shared_from_this(),
                        call = std::move(call)](Problem) { call(); });
    return true;
  }
  void finish() override {
    Problem ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  void close() override {
    Problem ignored;
    socket_.close(ignored);
  }

 private:
  void read_now(const OnRead& call) {
    static thread_local std::array<char, std::size_t{64} << 10U> scratch;
    Problem problem;
    const std::size_t size = socket_.read_some(asio::buffer(scratch), problem);
    if (problem == asio::error::would_block) return read(call);
    call(!problem, std::string_view(scratch.data(), size));
  }
  Socket socket_;
};

class TlsWire final : public Wire,
                      public std::enable_shared_from_this<TlsWire> {
 public:
  TlsWire(Socket socket, asio::ssl::context& context)
      : stream_(std::move(socket), context) {}
  void open(OnWritten call) override {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [self = shared_from_this(), call = std::move(call)](
                                Problem problem) { call(!problem); });
  }
  void read(OnRead call) override {
    stream_.async_read_some(
        asio::buffer(buffer_),
        [self = shared_from_this(), call = std::move(call)](Problem problem,
                                                            std::size_t size) {
          call(!problem, std::string_view(self->buffer_.data(), size));
        });
  }
  void write(std::string_view bytes, OnWritten call) override {
    asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()),
                      [self = shared_from_this(), call = std::move(call)](
                          Problem problem, std::size_t) { call(!problem); });
  }
  bool on_refused(std::function<void()> /*call*/) override { return false; }
  void finish() override {
    // The peer may have gone: its own word is not waited for.
    stream_.async_shutdown([self = shared_from_this()](Problem) {
      Problem ignored;
      self->stream_.next_layer().shutdown(Socket::shutdown_send, ignored);
    });
  }
  void close() override {
    Problem ignored;
    stream_.next_layer().close(ignored);
  }

 private:
  asio::ssl::stream<Socket> stream_;
  std::array<char, std::size_t{16} << 10U> buffer_{};
};

}  // namespace

std::shared_ptr<Wire> plain_wire(Socket socket) {
  return std::make_shared<PlainWire>(std::move(socket));
}

std::shared_ptr<Wire> tls_wire(Socket socket, asio::ssl::context& context) {
  return std::make_shared<TlsWire>(std::move(socket), context);
}

}  // namespace penstock::serve
