// Sockets: listens, keeps connections, ends them. One thread runs everything
// here; handlers compute elsewhere.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline_serve/http/connection.h"

namespace penstock::serve {

/// Where to listen.
struct Address {
  std::string host = "127.0.0.1";
  int port = 8080;        ///< 0: one that is free
  std::string unix_path;  ///< a socket file instead of host and port
};

class Server {
 public:
  Server(boost::asio::io_context& io, Gate& gate);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// TLS from now on. Throws Error(kNotFound, kData) that names the file.
  void use_tls(const std::string& certificate, const std::string& key);
  /// Listens; gives the address as a client writes it: "http://127.0.0.1:8080",
  /// "unix:/run/x". A socket file on which nobody listens is replaced. Throws
  /// Error(kUnavailable), such as "address in use".
  std::string listen(const Address& address);
  /// The sockets that systemd opened for this process; none: it did not.
  std::vector<std::string> listen_inherited();
  /// Accepts no more; connections end with what they have in progress.
  /// `done` is called when the last has gone.
  void drain(std::function<void()> done);
  void close_all();

 private:
  struct Listener;
  struct Open;
  void accept(const std::shared_ptr<Listener>& listener);
  void add(Socket socket);
  void start(std::shared_ptr<Listener> listener);
  void remove_unix_path();

  boost::asio::io_context& io_;
  Gate& gate_;
  std::optional<boost::asio::ssl::context> tls_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::shared_ptr<Open> open_;  ///< connections may outlive this
  std::string unix_path_;
};

}  // namespace penstock::serve
