// Which handler answers which method and path.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline_serve/http/call_times.h"
#include "pipeline_serve/http/message.h"
#include "pipeline_serve/http/reply.h"

namespace penstock::serve {

/// A request and where its answer goes.
struct Call {
  HttpRequest request;
  std::map<std::string, std::string> parts;  ///< of the path, decoded
  std::shared_ptr<Reply> reply;
  std::shared_ptr<CallTimes> times = nullptr;  ///< null: nobody asked for them
};

/// Runs on a worker thread; answers now or later through `call.reply`. An
/// HttpError or Error that it throws becomes the answer.
using Handler = std::function<void(Call call)>;

struct Route {
  std::string method;   ///< GET or POST
  std::string pattern;  ///< "/v2/models/{name}/infer"
  Handler handler;
  bool takes_media = false;  ///< its body may be as large as media are
  bool is_open = false;      ///< needs no key
  bool is_quick = false;     ///< never waits: runs on the I/O thread
};

class Router {
 public:
  void add(Route route);

  struct Found {
    const Route* route = nullptr;  ///< null: `allowed` says why
    std::map<std::string, std::string> parts;
    std::string allowed;  ///< methods of the path; empty: unknown path
  };
  [[nodiscard]] Found find(const std::string& method,
                           const std::string& path) const;

 private:
  std::vector<Route> routes_;
};

/// The error as the path's protocol has it.
[[nodiscard]] Answer answer_of(const HttpError& error, const std::string& path);
/// The exception being handled as an HttpError: paths and places are cut.
[[nodiscard]] HttpError caught_error();

}  // namespace penstock::serve
