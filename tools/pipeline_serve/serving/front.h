// What stands between HTTP and the handlers: keys, origins, routes, worker
// threads, the access log.
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "pipeline_serve/http/connection.h"
#include "pipeline_serve/http/router.h"
#include "pipeline_serve/serving/keys.h"

namespace penstock::serve {

struct FrontOptions {
  Limits limits;
  std::vector<std::string> origins;  ///< whose pages may call, for CORS
  bool is_local = true;              ///< only this machine can reach it
  std::string access_log;            ///< a file, "-" for stderr; empty: none
  int workers = 2;                   ///< threads that read bodies and submit
};

class Front final : public Gate {
 public:
  /// Throws Error when the log cannot be written. The router and keys outlive
  /// it.
  Front(const Router& router, Keys& keys, FrontOptions options);
  ~Front() override;

  [[nodiscard]] const Limits& limits() const override {
    return options_.limits;
  }
  std::size_t body_limit(const HttpRequest& request) override;
  void serve(HttpRequest request, std::shared_ptr<Reply> reply) override;
  void decorate(const HttpRequest& request, Fields& fields) override;
  void log(const Access& access) override;
  [[nodiscard]] bool is_draining() const override { return is_draining_; }
  [[nodiscard]] std::string next_id() override;

  void drain() { is_draining_ = true; }
  /// Limits, origins and the log, which is opened anew, are those of `options`
  /// from now on. On the I/O thread. Throws Error where the log cannot be
  /// written; then it goes where it went.
  void take_over(const FrontOptions& options);
  /// Waits for the handlers.
  void join();

 private:
  void answer_or_throw(HttpRequest request,
                       const std::shared_ptr<Reply>& reply);
  [[nodiscard]] std::size_t limit_of(const Route* route) const;
  [[nodiscard]] std::string client_of(const HttpRequest& request) const;
  void check_host(const HttpRequest& request) const;
  [[nodiscard]] bool is_allowed(std::string_view origin) const;

  const Router& router_;
  Keys& keys_;
  FrontOptions options_;
  std::string prefix_;  ///< of ids: other runs have others
  std::atomic<std::uint64_t> count_{0};
  std::atomic<bool> is_draining_{false};
  std::ofstream log_;
  boost::asio::thread_pool workers_;
};

}  // namespace penstock::serve
