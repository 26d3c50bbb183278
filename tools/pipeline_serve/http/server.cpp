#include "pipeline_serve/http/server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <filesystem>
#include <unordered_set>
#include <utility>

namespace penstock::serve {
namespace {

namespace asio = boost::asio;
using Problem = boost::system::error_code;
using Protocol = asio::generic::stream_protocol;

/// The first descriptor that systemd hands over (sd_listen_fds(3)).
constexpr int kFirstInherited = 3;

Error cannot_listen(const std::string& where, const std::string& why) {
  return {Code::kUnavailable, str("cannot listen on ", where, ": ", why)};
}

std::string why(const Problem& problem) {
  if (problem == asio::error::address_in_use) {
    return "the address is in use; another program listens there";
  }
  return problem.message();
}

using UnixSocket = asio::local::stream_protocol;

/// The file of a server that was killed: a socket on which nobody listens.
bool is_abandoned(asio::io_context& io, const UnixSocket::endpoint& at) {
  struct stat found {};
  if (::lstat(at.path().c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) {
    return false;
  }
  UnixSocket::socket socket(io);
  Problem problem;
  socket.connect(at, problem);
  return problem == asio::error::connection_refused;
}

/// Takes the place of what a killed server left.
void bind(UnixSocket::acceptor& acceptor, asio::io_context& io,
          const UnixSocket::endpoint& at) {
  Problem problem;
  acceptor.bind(at, problem);
  if (problem == asio::error::address_in_use && is_abandoned(io, at)) {
    ::unlink(at.path().c_str());
    problem.clear();
    acceptor.bind(at, problem);
  }
  if (!problem) acceptor.listen(SOMAXCONN, problem);
  if (!problem) return;
  std::error_code ignored;
  const bool is_other = problem == asio::error::address_in_use &&
                        !std::filesystem::is_socket(at.path(), ignored);
  throw cannot_listen(at.path(),
                      is_other ? "there is a file of that name" : why(problem));
}

std::string host_text(const asio::ip::address& address) {
  return address.is_v6() ? "[" + address.to_string() + "]"
                         : address.to_string();
}

}  // namespace

/// For sockets of any family.
struct Server::Listener {
  Listener(asio::io_context& io, int family, int descriptor)
      : acceptor(io, Protocol(family, 0), descriptor), retry(io) {
    acceptor.non_blocking(true);
  }
  asio::basic_socket_acceptor<Protocol> acceptor;
  asio::steady_timer retry;  ///< after "too many open files"
};

struct Server::Open {
  std::unordered_set<Connection*> all;
  std::function<void()> drained;  ///< called when the last has gone

  [[nodiscard]] std::vector<std::shared_ptr<Connection>> held() const {
    std::vector<std::shared_ptr<Connection>> out;
    for (Connection* each : all) out.push_back(each->shared_from_this());
    return out;
  }
  void look() {
    if (all.empty() && drained) std::exchange(drained, {})();
  }
};

Server::Server(asio::io_context& io, Gate& gate)
    : io_(io), gate_(gate), open_(std::make_shared<Open>()) {}

Server::~Server() {
  open_->drained = {};
  remove_unix_path();
}

/// While it still listens: afterwards the file may be another server's.
void Server::remove_unix_path() {
  if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
  unix_path_.clear();
}

void Server::use_tls(const std::string& certificate, const std::string& key) {
  tls_.emplace(asio::ssl::context::tls_server);
  tls_->set_options(asio::ssl::context::no_tlsv1 |
                    asio::ssl::context::no_tlsv1_1);
  Problem problem;
  tls_->use_certificate_chain_file(certificate, problem);
  if (problem) {
    throw Error(Code::kData, str("cannot read the certificate '", certificate,
                                 "': ", problem.message()));
  }
  tls_->use_private_key_file(key, asio::ssl::context::pem, problem);
  if (problem) {
    throw Error(Code::kData,
                str("cannot read the key '", key, "': ", problem.message()));
  }
}

std::string Server::listen(const Address& address) {
  Problem problem;
  if (!address.unix_path.empty()) {
    const UnixSocket::endpoint at(address.unix_path);
    UnixSocket::acceptor acceptor(io_);
    acceptor.open(at.protocol());
    ::umask(S_IRWXO);
    bind(acceptor, io_, at);
    unix_path_ = address.unix_path;
    start(std::make_shared<Listener>(io_, AF_UNIX, acceptor.release()));
    return "unix:" + address.unix_path;
  }
  const auto host = asio::ip::make_address(
      address.host == "localhost" ? "127.0.0.1" : address.host, problem);
  const std::string where = str(address.host, ":", address.port);
  if (problem) throw cannot_listen(where, "the host is no IP address");
  const asio::ip::tcp::endpoint at(host,
                                   static_cast<unsigned short>(address.port));
  asio::ip::tcp::acceptor acceptor(io_);
  acceptor.open(at.protocol());
  acceptor.set_option(asio::ip::tcp::acceptor::reuse_address(true));
  acceptor.bind(at, problem);
  if (!problem) acceptor.listen(SOMAXCONN, problem);
  if (problem) throw cannot_listen(where, why(problem));
  const int port = acceptor.local_endpoint().port();
  const int family = at.protocol().family();
  start(std::make_shared<Listener>(io_, family, acceptor.release()));
  return str(tls_ ? "https://" : "http://", host_text(host), ":", port);
}

std::vector<std::string> Server::listen_inherited() {
  const char* process = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  std::vector<std::string> out;
  if (process == nullptr || count == nullptr ||
      std::to_string(::getpid()) != process) {
    return out;
  }
  for (int i = 0; i < std::min(std::atoi(count), 16); ++i) {  // NOLINT
    const int descriptor = kFirstInherited + i;
    int family = 0;
    socklen_t size = sizeof(family);
    if (::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) {
      throw cannot_listen(str("descriptor ", descriptor), "it is no socket");
    }
    start(std::make_shared<Listener>(io_, family, descriptor));
    out.push_back(str("descriptor ", descriptor));
  }
  return out;
}

void Server::start(std::shared_ptr<Listener> listener) {
  accept(listener);
  listeners_.push_back(std::move(listener));
}

void Server::accept(const std::shared_ptr<Listener>& listener) {
  listener->acceptor.async_accept(
      [this, listener](Problem problem, Socket socket) {
        if (problem == asio::error::operation_aborted) return;
        if (problem) {  // too many open files: those that close make room
          listener->retry.expires_after(std::chrono::milliseconds(100));
          listener->retry.async_wait([this, listener](Problem stopped) {
            if (!stopped) accept(listener);
          });
          return;
        }
        add(std::move(socket));
        accept(listener);
      });
}

void Server::add(Socket socket) {
  // More than that: it is closed, as a full backlog would do it.
  if (open_->all.size() >= gate_.limits().connections) return;
  Problem ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  auto wire =
      tls_ ? tls_wire(std::move(socket), *tls_) : plain_wire(std::move(socket));
  const auto place = std::make_shared<Connection*>(nullptr);
  const auto connection = std::make_shared<Connection>(
      std::move(wire), gate_, io_.get_executor(), [open = open_, place] {
        open->all.erase(*place);
        open->look();
      });
  *place = connection.get();
  open_->all.insert(connection.get());
  connection->start();
}

void Server::drain(std::function<void()> done) {
  remove_unix_path();
  for (const auto& listener : listeners_) {
    listener->acceptor.close();
    listener->retry.cancel();
  }
  open_->drained = std::move(done);
  for (const auto& each : open_->held()) each->drain();
  open_->look();
}

void Server::close_all() {
  for (const auto& each : open_->held()) each->close();
}

}  // namespace penstock::serve
