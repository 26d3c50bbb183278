// What a supervisor and Prometheus look at. No text of a request is in it.
#include <map>
#include <utility>

#include "pipeline_serve/api/routes.h"

namespace penstock::serve {
namespace {

using Of = Metrics::Of;

/// A family: its HELP and TYPE, then a line or more for each model.
template <class Line>
std::string family(const Api& api, const std::string& name,
                   const std::string& type, const std::string& help,
                   const Line& line) {
  std::string out =
      str("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
  api.metrics.each([&](const std::string& model, const Of& of) {
    out += line(str("model_name=\"", model, "\""), model, of);
  });
  return out;
}

std::string counter(const Api& api, const std::string& name,
                    const std::string& help, std::int64_t Of::*member) {
  return family(api, name, "counter", help,
                [&](const std::string& labels, const auto&, const Of& of) {
                  return str(name, "{", labels, "} ", of.*member, "\n");
                });
}

std::string gauge(const Api& api, const std::string& name,
                  const std::string& help,
                  std::int64_t (*value)(const Served&)) {
  const auto all = api.models.all_and_leaving();
  return family(
      api, name, "gauge", help,
      [&](const std::string& labels, const std::string& model, const Of&) {
        std::int64_t sum = 0;  // of one that was replaced, too
        for (const Use& served : all) {
          if (served->name() == model) sum += value(*served);
        }
        return str(name, "{", labels, "} ", sum, "\n");
      });
}

std::string histogram(const Api& api, const std::string& name,
                      const std::string& help, Histogram Of::*member) {
  return family(api, name, "histogram", help,
                [&](const std::string& labels, const auto&, const Of& of) {
                  return (of.*member).text(name, labels);
                });
}

/// Counted as they are made, so that a rate moves while an answer is written.
std::string generated(const Api& api) {
  const std::string name = "penstock_generation_tokens_total";
  std::map<std::string, std::int64_t> counts;  // not under the metrics' lock
  api.metrics.each(
      [&](const std::string& model, const Of&) { counts[model] = 0; });
  for (auto& [model, count] : counts) count = api.models.generated(model);
  return family(
      api, name, "counter", "Tokens that were generated so far.",
      [&](const std::string& labels, const std::string& model, const Of&) {
        return str(name, "{", labels, "} ", counts[model], "\n");
      });
}

std::string metrics_text(const Api& api) {
  return gauge(api, "penstock_num_requests_running", "Requests that run now.",
               [](const Served& s) { return s.active() - s.waiting(); }) +
         gauge(api, "penstock_num_requests_waiting",
               "Requests that wait for room.",
               [](const Served& s) { return s.waiting(); }) +
         counter(api, "penstock_requests_total", "Requests that are over.",
                 &Of::requests) +
         counter(api, "penstock_request_failures_total",
                 "Requests that ended with an error.", &Of::failed) +
         counter(api, "penstock_requests_cancelled_total",
                 "Requests whose clients had gone.", &Of::cancelled) +
         counter(api, "penstock_requests_refused_total",
                 "Requests that found the queue full.", &Of::refused) +
         counter(api, "penstock_prompt_tokens_total", "Tokens of prompts.",
                 &Of::prompt_tokens) +
         generated(api) +
         counter(api, "penstock_prefix_cache_queries_total",
                 "Tokens of prompts that were looked for among those computed.",
                 &Of::prompt_tokens) +
         counter(api, "penstock_prefix_cache_hits_total",
                 "Tokens of prompts that were found computed.",
                 &Of::cached_tokens) +
         histogram(api, "penstock_time_to_first_token_seconds",
                   "From a request's arrival to its first output.",
                   &Of::first_token) +
         histogram(api, "penstock_inter_token_latency_seconds",
                   "Between two outputs of a request.", &Of::between_tokens) +
         histogram(api, "penstock_e2e_request_latency_seconds",
                   "From a request's arrival to its end.", &Of::whole);
}

void health(const Api& api, const Call& call) {
  const bool is_ready = api.models.is_ready();
  Answer answer;
  answer.status = is_ready ? 200 : 503;
  answer.body = is_ready ? R"({"status":"ok"})" : R"({"status":"not ready"})";
  answer.fields.add("Cache-Control", "no-store");
  call.reply->send(std::move(answer));
}

}  // namespace

void add_health(const Api& api) {
  api.router.add({.method = "GET",
                  .pattern = "/health",
                  .handler = [api](const Call& call) { health(api, call); },
                  .is_open = true,
                  .is_quick = true});
  api.router.add({.method = "GET",
                  .pattern = "/metrics",
                  .handler =
                      [api](const Call& call) {
                        Answer answer;
                        answer.type = "text/plain; version=0.0.4";
                        answer.body = metrics_text(api);
                        call.reply->send(std::move(answer));
                      },
                  .is_quick = true});
}

}  // namespace penstock::serve
