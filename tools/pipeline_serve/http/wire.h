// A byte stream to one client: a socket, or TLS over one.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <string_view>

namespace penstock::serve {

using Socket = boost::asio::generic::stream_protocol::socket;

/// Used on the I/O thread alone. Calls outlive the wire: they come with an
/// error after close().
class Wire {
 public:
  using OnRead = std::function<void(bool is_open, std::string_view bytes)>;
  using OnWritten = std::function<void(bool is_open)>;
  virtual ~Wire() = default;
  /// Ready to read and write; TLS shakes hands first.
  virtual void open(OnWritten call) = 0;
  /// Some bytes, good for the call alone.
  virtual void read(OnRead call) = 0;
  /// All of `bytes`, which must last until the call.
  virtual void write(std::string_view bytes, OnWritten call) = 0;
  /// Calls once the other side refuses what is written. False: that cannot be
  /// known, and the end of what it sends is its end.
  virtual bool on_refused(std::function<void()> call) = 0;
  /// No more is written; what was written still arrives.
  virtual void finish() = 0;
  virtual void close() = 0;
};

[[nodiscard]] std::shared_ptr<Wire> plain_wire(Socket socket);
[[nodiscard]] std::shared_ptr<Wire> tls_wire(
    Socket socket, boost::asio::ssl::context& context);

}  // namespace penstock::serve
