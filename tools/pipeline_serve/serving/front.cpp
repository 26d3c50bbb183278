#include "pipeline_serve/serving/front.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "pipeline_serve/http/gzip.h"
#include "pipeline_serve/http/trace_parent.h"

namespace penstock::serve {
namespace {

/// "host" of "host:port" and "[::1]:port".
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

Answer options_answer(const std::string& allowed) {
  Answer answer;
  answer.status = 204;
  answer.fields.add("Allow", allowed);
  return answer;
}

/// Keeps a client's place until its answer is over.
class Placed final : public Reply {
 public:
  Placed(std::shared_ptr<Reply> reply, std::shared_ptr<void> place)
      : reply_(std::move(reply)), place_(std::move(place)) {}
  void send(Answer answer) override {
    place_.reset();
    reply_->send(std::move(answer));
  }
  void begin(Answer head) override { reply_->begin(std::move(head)); }
  void write(std::string bytes) override { reply_->write(std::move(bytes)); }
  void end() override {
    place_.reset();
    reply_->end();
  }
  [[nodiscard]] bool has_begun() const override { return reply_->has_begun(); }
  void on_gone(std::function<void()> call) override {
    reply_->on_gone(std::move(call));
  }

 private:
  std::shared_ptr<Reply> reply_;
  std::shared_ptr<void> place_;
};

void run(const Route& route, Call call, std::size_t most) {
  const auto reply = call.reply;
  const std::string path = call.request.path;
  HttpRequest& request = call.request;
  try {
    request.body = unpacked(request.fields.get("content-encoding"),
                            std::move(request.body), most);
    route.handler(std::move(call));
  } catch (...) {
    if (!reply->has_begun()) reply->send(answer_of(caught_error(), path));
  }
}

/// Not open where there is no file.
std::ofstream opened_log(const std::string& path) {
  std::ofstream out;
  if (path.empty() || path == "-") return out;
  out.open(path, std::ios::app);
  if (!out) throw Error(Code::kRetry, str("cannot write '", path, "'"));
  return out;
}

/// Whether a client wants to know where the time went.
bool wants_times(const HttpRequest& request) {
  constexpr const char* kName = "x-penstock-timing";
  if (!request.fields.has(kName)) return false;
  const auto value = request.fields.get(kName);
  if (value == "1" || value == "0") return value == "1";
  throw http_error(400, str(kName, " is neither 1 nor 0"));
}

}  // namespace

Front::Front(const Router& router, Keys& keys, FrontOptions options)
    : router_(router),
      keys_(keys),
      options_(std::move(options)),
      workers_(static_cast<std::size_t>(options_.workers)) {
  std::random_device random;
  prefix_ = str(std::hex, random());
  log_ = opened_log(options_.access_log);
}

Front::~Front() { join(); }

void Front::join() { workers_.join(); }

void Front::take_over(const FrontOptions& options) {
  options_.limits = options.limits;
  options_.origins = options.origins;
  log_ = opened_log(options.access_log);
  options_.access_log = options.access_log;
}

std::string Front::next_id() { return str("req_", prefix_, "_", ++count_); }

std::size_t Front::limit_of(const Route* route) const {
  const bool is_media = route != nullptr && route->takes_media;
  return is_media ? options_.limits.media_bytes : options_.limits.body_bytes;
}

std::size_t Front::body_limit(const HttpRequest& request) {
  return limit_of(router_.find(request.method, request.path).route);
}

void Front::serve(HttpRequest request, std::shared_ptr<Reply> reply) {
  const std::string path = request.path;
  try {
    answer_or_throw(std::move(request), reply);
  } catch (...) {
    reply->send(answer_of(caught_error(), path));
  }
}

void Front::answer_or_throw(HttpRequest request,
                            const std::shared_ptr<Reply>& reply) {
  check_host(request);
  auto found = router_.find(request.method, request.path);
  if (request.method == "OPTIONS") {
    return reply->send(options_answer(found.allowed));
  }
  const bool is_open = found.route != nullptr && found.route->is_open;
  if (!keys_.is_empty() && !is_open) {
    request.client = keys_.client_of(request.fields.get("authorization"));
    request.terms = keys_.terms_of(request.client);
  }
  if (found.route == nullptr && !found.allowed.empty()) {
    HttpError error = http_error(405, str("the method is not ", found.allowed));
    error.fields.add("Allow", found.allowed);
    throw HttpError(error);
  }
  if (found.route == nullptr)
    throw http_error(404, "there is no such path here");
  const Route& route = *found.route;
  std::shared_ptr<Reply> to = reply;
  if (!request.client.empty() && route.method == "POST") {
    to = std::make_shared<Placed>(reply, keys_.take_place(request.client));
  }
  std::shared_ptr<CallTimes> times;
  if (wants_times(request)) {
    times = std::make_shared<CallTimes>(request.arrived);
    to = timed_reply(std::move(to), times);
  }
  Call call{.request = std::move(request),
            .parts = std::move(found.parts),
            .reply = std::move(to),
            .times = std::move(times)};
  const std::size_t most = limit_of(&route);
  if (route.is_quick) return run(route, std::move(call), most);
  boost::asio::post(workers_, [&route, most, call = std::move(call)]() mutable {
    run(route, std::move(call), most);
  });
}

/// A page of another site that has its name point here (DNS rebinding): it
/// sends its own name as Host, and as Origin. Keys keep it out as well.
void Front::check_host(const HttpRequest& request) const {
  const auto origin = request.fields.get("origin");
  if (origin.empty() || is_allowed(origin) || !options_.is_local ||
      !keys_.is_empty()) {
    return;
  }
  const auto host = without_port(request.fields.get("host"));
  if (host == "localhost" || host == "127.0.0.1" || host == "[::1]") return;
  throw http_error(421, "this host is not served here");
}

bool Front::is_allowed(std::string_view origin) const {
  return std::find(options_.origins.begin(), options_.origins.end(), origin) !=
         options_.origins.end();
}

void Front::decorate(const HttpRequest& request, Fields& fields) {
  if (!fields.has("X-Content-Type-Options")) {
    fields.add("X-Content-Type-Options", "nosniff");
  }
  const auto origin = request.fields.get("origin");
  if (options_.origins.empty()) return;
  fields.add("Vary", "Origin");
  if (!is_allowed(origin)) return;
  fields.add("Access-Control-Allow-Origin", std::string(origin));
  fields.add("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS");
  fields.add("Access-Control-Allow-Headers",
             "authorization, content-type, traceparent, tracestate, "
             "x-penstock-timing");
  fields.add("Access-Control-Expose-Headers", "x-request-id, server-timing");
  fields.add("Access-Control-Max-Age", "600");
}

/// Whose key it came with; empty: without a valid one.
std::string Front::client_of(const HttpRequest& request) const {
  const auto key = request.fields.get("authorization");
  if (keys_.is_empty() || key.empty()) return {};
  try {
    return keys_.client_of(key);
  } catch (const HttpError&) {
    return {};
  }
}

void Front::log(const Access& access) {
  if (options_.access_log.empty()) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  nlohmann::ordered_json line{
      {"time", std::chrono::duration<double>(now).count()},
      {"id", access.request.id},
      {"method", access.request.method},
      {"path", access.request.path},
      {"status", access.status},
      {"bytes", access.bytes},
      {"seconds", access.seconds}};
  const std::string client = client_of(access.request);
  if (!client.empty()) line["client"] = client;
  if (const auto parent = trace_parent_of(access.request.fields)) {
    line["trace_id"] = parent->trace_id;
    line["parent_id"] = parent->parent_id;
  }
  if (access.is_gone) line["gone"] = true;
  std::ostream& out = log_.is_open() ? log_ : std::cerr;
  out << line.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace)
      << '\n'
      << std::flush;
}

}  // namespace penstock::serve
