// Connections over real sockets: framing, order, slow and absent clients.
#include "pipeline_serve/http/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

namespace penstock::serve {
namespace {

namespace asio = boost::asio;

/// Answers /echo with the body, /stream in pieces, /wait when it is told to.
class TestGate final : public Gate {
 public:
  [[nodiscard]] const Limits& limits() const override { return limits_; }
  std::size_t body_limit(const HttpRequest& request) override {
    return request.path == "/small" ? 4 : 100000;
  }
  void serve(HttpRequest request, std::shared_ptr<Reply> reply) override {
    if (request.path == "/wait") {
      reply->on_gone([this] { gone.set_value(); });
      waiting = reply;
    } else if (request.path == "/stream") {
      reply->begin({.type = "text/event-stream", .body = "a", .fields = {}});
      reply->write("b");
      reply->end();
    } else if (request.path != "/lost") {
      reply->send({.type = "text/plain", .body = request.body, .fields = {}});
    }
  }
  void decorate(const HttpRequest&, Fields&) override {}
  void log(const Access&) override {}
  [[nodiscard]] bool is_draining() const override { return false; }
  [[nodiscard]] std::string next_id() override { return "id"; }

  std::promise<void> gone;
  std::shared_ptr<Reply> waiting;
  Limits limits_;
};

class OverSockets : public ::testing::Test {
 protected:
  void start() {
    const std::string url = server_.listen({.port = 0, .unix_path = {}});
    port_ =
        static_cast<unsigned short>(std::stoi(url.substr(url.rfind(':') + 1)));
    thread_ = std::thread([this] { io_.run(); });
  }
  void TearDown() override {
    asio::post(io_, [this] {
      gate_.waiting.reset();
      server_.drain([this] { io_.stop(); });
      server_.close_all();
    });
    thread_.join();
  }
  asio::ip::tcp::socket connect() {
    asio::ip::tcp::socket socket(client_);
    socket.connect({asio::ip::make_address("127.0.0.1"), port_});
    const timeval most{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &most,
                 sizeof(most));
    return socket;
  }
  /// All that comes until the server closes.
  static std::string rest(asio::ip::tcp::socket& socket) {
    std::string out;
    boost::system::error_code ended;
    asio::read(socket, asio::dynamic_buffer(out), ended);
    return out;
  }
  std::string ask(const std::string& bytes) {
    auto socket = connect();
    asio::write(socket, asio::buffer(bytes));
    return rest(socket);
  }

  TestGate gate_;
  asio::io_context io_{1}, client_;
  Server server_{io_, gate_};
  unsigned short port_ = 0;
  std::thread thread_;
};

constexpr const char* kClose = "Connection: close\r\n\r\n";

TEST_F(OverSockets, AnswersInTheOrderOfTheRequests) {
  start();
  const std::string out =
      ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
          "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
          "3\r\ntwo\r\n0\r\n\r\n"
          "GET /stream HTTP/1.1\r\nHost: a\r\n" +
          std::string(kClose));
  const auto one = out.find("\r\n\r\none");
  const auto two = out.find("\r\n\r\ntwo");
  const auto stream = out.find("1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
  ASSERT_NE(stream, std::string::npos) << out;
  EXPECT_LT(one, two);
  EXPECT_LT(two, stream);
}

TEST_F(OverSockets, GivesAHeadAloneWhereThatIsAsked) {
  start();
  const std::string out =
      ask("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n"
          "HEAD /echo HTTP/1.1\r\nHost: a\r\n" +
          std::string(kClose));
  EXPECT_NE(out.find("Content-Length: 0"), std::string::npos) << out;
  EXPECT_EQ(out.find("1\r\na"), std::string::npos) << out;
}

TEST_F(OverSockets, RefusesAndClosesWhatItCannotTrust) {
  start();
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
                  .starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask("\x16\x03\x01").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(
      ask("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
          .starts_with("HTTP/1.1 413 "));
}

TEST_F(OverSockets, AsksForABodyThatWaits) {
  start();
  auto socket = connect();
  asio::write(
      socket,
      asio::buffer(std::string("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: "
                               "100-continue\r\nContent-Length: 2\r\n") +
                   kClose));
  std::string out(25, ' ');
  asio::read(socket, asio::buffer(out));
  EXPECT_EQ(out, "HTTP/1.1 100 Continue\r\n\r\n");
  asio::write(socket, asio::buffer(std::string("hi")));
  EXPECT_TRUE(rest(socket).ends_with("\r\n\r\nhi"));
}

TEST_F(OverSockets, TellsOfAClientThatGoes) {
  start();
  auto gone = gate_.gone.get_future();
  {
    auto socket = connect();
    asio::write(
        socket,
        asio::buffer(std::string("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(gone.wait_for(std::chrono::seconds(5)), std::future_status::ready);
}

TEST_F(OverSockets, AnswersAClientThatClosedItsHalf) {
  start();
  auto gone = gate_.gone.get_future();
  auto socket = connect();
  asio::write(socket, asio::buffer(std::string(
                          "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"
                          "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")));
  socket.shutdown(asio::ip::tcp::socket::shutdown_send);
  EXPECT_EQ(gone.wait_for(std::chrono::milliseconds(200)),
            std::future_status::timeout);
  asio::post(io_, [this] {
    gate_.waiting->send({.type = "text/plain", .body = "late", .fields = {}});
  });
  const std::string out = rest(socket);
  EXPECT_TRUE(out.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "))
      << out;
  EXPECT_NE(out.find("\r\n\r\nlate"), std::string::npos) << out;
  EXPECT_TRUE(out.ends_with("1\r\na\r\n1\r\nb\r\n0\r\n\r\n")) << out;
}

TEST_F(OverSockets, LeavesHalfARequestThatEnds) {
  start();
  auto socket = connect();
  asio::write(socket,
              asio::buffer(std::string("POST /echo HTTP/1.1\r\nHost: a\r\n"
                                       "Content-Length: 9\r\n\r\nhalf")));
  socket.shutdown(asio::ip::tcp::socket::shutdown_send);
  EXPECT_EQ(rest(socket), "");
}

TEST_F(OverSockets, AnswersWhatAHandlerForgot) {
  start();
  EXPECT_TRUE(ask("GET /lost HTTP/1.1\r\nHost: a\r\n" + std::string(kClose))
                  .starts_with("HTTP/1.1 500 "));
}

TEST_F(OverSockets, EndsSlowHeadersAndBodies) {
  gate_.limits_.header_s = gate_.limits_.body_s = 0.3;
  start();
  EXPECT_TRUE(ask("GET / HT").starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(
      ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nx")
          .starts_with("HTTP/1.1 408 "));
}

TEST_F(OverSockets, ClosesIdleConnections) {
  gate_.limits_.idle_s = 0.3;
  start();
  EXPECT_TRUE(ask("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
                  .starts_with("HTTP/1.1 200 "));
}

TEST_F(OverSockets, EndsAStreamWhoseClientReadsNothing) {
  gate_.limits_.unread_bytes = 1 << 16;
  start();
  auto gone = gate_.gone.get_future();
  auto socket = connect();
  asio::write(
      socket,
      asio::buffer(std::string("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")));
  std::shared_ptr<Reply> reply;
  while (!reply) {
    std::promise<std::shared_ptr<Reply>> got;
    asio::post(io_, [&] { got.set_value(gate_.waiting); });
    reply = got.get_future().get();
  }
  reply->begin({.type = "text/event-stream", .body = {}, .fields = {}});
  for (int i = 0; i < 1000; ++i) reply->write(std::string(1 << 14, 'x'));
  EXPECT_EQ(gone.wait_for(std::chrono::seconds(5)), std::future_status::ready);
}

TEST_F(OverSockets, SaysThatAnAddressIsInUse) {
  start();
  Server second(io_, gate_);
  try {
    second.listen({.port = port_, .unix_path = {}});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_NE(error.text().find(std::to_string(port_)), std::string::npos);
  }
}

/// A socket file in a folder of its own.
class UnixSockets : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return folder_ / "socket"; }
  std::string listen(Server& server) {
    return server.listen({.host = {}, .port = 0, .unix_path = path()});
  }
  [[nodiscard]] std::string refusal() {
    Server server(io_, gate_);
    try {
      listen(server);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUnavailable);
      return error.text();
    }
    return {};
  }

  TestGate gate_;
  asio::io_context io_{1};
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                  ("unix-socket-" + std::to_string(::getpid()));
};

TEST_F(UnixSockets, TakeThePlaceOfOneThatWasKilled) {
  {
    asio::local::stream_protocol::acceptor killed(
        io_, asio::local::stream_protocol::endpoint(path()));
  }
  ASSERT_TRUE(std::filesystem::is_socket(path()));
  Server server(io_, gate_);
  EXPECT_EQ(listen(server), "unix:" + path());
}

TEST_F(UnixSockets, AreLeftToOneThatListens) {
  Server first(io_, gate_);
  listen(first);
  EXPECT_NE(refusal().find("in use"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_socket(path()));
}

TEST_F(UnixSockets, TakeNoOtherFilesPlace) {
  std::ofstream(path()) << "mine";
  EXPECT_NE(refusal().find("a file of that name"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_regular_file(path()));
}

TEST_F(UnixSockets, AreFreeForTheNextWhileTheLastStreamsEnd) {
  Server first(io_, gate_);
  listen(first);
  first.drain([] {});
  EXPECT_FALSE(std::filesystem::exists(path()));
  Server second(io_, gate_);
  listen(second);
  first.drain([] {});
  EXPECT_TRUE(std::filesystem::is_socket(path()));
}

}  // namespace
}  // namespace penstock::serve
