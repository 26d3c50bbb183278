#include "pipeline_serve/http/router.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/http_status.h"

namespace penstock::serve {
namespace {

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    path.remove_prefix(1);  // '/'
    const auto end = path.find('/');
    out.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end, path.size()));
  }
  return out;
}

/// The path's parts by the pattern's names; nothing where it does not fit.
std::optional<std::map<std::string, std::string>> fit(
    const std::string& pattern, const std::string& path) {
  if (path.empty() || path[0] != '/') return {};
  const auto wanted = segments(pattern);
  const auto given = segments(path);
  if (given.size() != wanted.size()) return {};
  std::map<std::string, std::string> parts;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const bool is_name = !wanted[i].empty() && wanted[i][0] == '{';
    if (!is_name && wanted[i] != given[i]) return {};
    if (is_name) {
      std::string& part =
          parts[std::string(wanted[i].substr(1, wanted[i].size() - 2))];
      if (!percent_decode(given[i], part)) return {};
    }
  }
  return parts;
}

const char* type_of(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

}  // namespace

void Router::add(Route route) { routes_.push_back(std::move(route)); }

Router::Found Router::find(const std::string& method,
                           const std::string& path) const {
  Found found;
  for (const Route& route : routes_) {
    auto parts = fit(route.pattern, path);
    if (!parts) continue;
    if (route.method == method) {
      return {.route = &route, .parts = std::move(*parts), .allowed = {}};
    }
    if (!found.allowed.empty()) found.allowed += ", ";
    found.allowed += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  if (!found.allowed.empty()) found.allowed += ", OPTIONS";
  return found;
}

Answer answer_of(const HttpError& error, const std::string& path) {
  nlohmann::ordered_json body;
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::ordered_json()
                        : nlohmann::ordered_json(text);
  };
  if (path.starts_with("/v2/") || path == "/v2") {
    body["error"] = error.message;
  } else {
    body["error"] = {{"message", error.message},
                     {"type", type_of(error.status)},
                     {"param", text_or_null(error.param)},
                     {"code", text_or_null(error.code)}};
  }
  return {.status = error.status,
          .type = "application/json",
          .body = body.dump(-1, ' ', false,
                            nlohmann::ordered_json::error_handler_t::replace),
          .fields = error.fields};
}

HttpError caught_error() {
  try {
    throw;
  } catch (const HttpError& error) {
    return error;
  } catch (const Error& error) {
    const int status = http_status(error.code());
    return http_error(status,
                      status < 500 ? error.text() : "something failed here");
  } catch (const std::exception&) {
    return http_error(500, "something failed here");
  }
}

}  // namespace penstock::serve
