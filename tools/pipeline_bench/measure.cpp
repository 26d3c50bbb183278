#include "pipeline_bench/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

namespace penstock::bench {
namespace {

double ms(Time from, Time to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

/// Notes when the pieces of one request come.
class Watch final : public ResultSink {
 public:
  void piece(const Request& /*request*/, const Value& /*value*/, int /*branch*/,
             bool /*is_final*/) override {
    const Time now = Clock::now();
    if (last_) timed.between_ms.push_back(ms(*last_, now));
    if (!last_) timed.first_ms = ms(start, now);
    last_ = now;
  }
  void done(const Request& /*request*/, const Report& report) override {
    timed.whole_ms = ms(start, Clock::now());
    timed.prompt_tokens = report.prompt_tokens;
    for (const Branch& branch : report.branches) {
      timed.new_tokens += std::ssize(branch.token_ids);
    }
    timed.prefill_ms = report.timing.prefill_ms;
    timed.decode_ms = report.timing.decode_ms;
    error = report.error;
  }

  Time start;
  Timed timed;
  std::optional<Error> error;

 private:
  std::optional<Time> last_;
};

std::vector<std::shared_ptr<Watch>> run_once(Runner& runner, const Plan& plan,
                                             int batch) {
  std::vector<std::shared_ptr<Watch>> all;
  {
    const auto more = runner.more_coming();
    for (int i = 0; i < batch; ++i) {
      Request request =
          plan.requests[static_cast<std::size_t>(i) % plan.requests.size()];
      request.id = std::to_string(i);
      all.push_back(std::make_shared<Watch>());
      all.back()->start = Clock::now();
      runner.submit(std::move(request), all.back());
    }
  }
  runner.drain();
  return all;
}

/// What was done since `before`.
Stats since(Stats now, const Stats& before) {
  now.preprocess_s -= before.preprocess_s;
  now.plan_s -= before.plan_s;
  now.collate_s -= before.collate_s;
  now.forward_s -= before.forward_s;
  now.decode_s -= before.decode_s;
  now.write_s -= before.write_s;
  now.steps -= before.steps;
  now.tokens_in -= before.tokens_in;
  now.tokens_out -= before.tokens_out;
  return now;
}

}  // namespace

Measured measure(Runner& runner, const Plan& plan, int batch) {
  for (int i = 0; i < plan.warmup; ++i) (void)run_once(runner, plan, batch);
  Measured all;
  all.batch = batch;
  const Stats before = runner.stats().front().second;
  for (int i = 0; i < plan.runs; ++i) {
    const Time start = Clock::now();
    const auto watched = run_once(runner, plan, batch);
    all.run_s.push_back(ms(start, Clock::now()) / 1e3);
    for (const auto& each : watched) {
      if (each->error) throw Error(*each->error);
      all.requests.push_back(each->timed);
    }
  }
  all.stats = since(runner.stats().front().second, before);
  return all;
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return std::lerp(values[low], values[high], at - static_cast<double>(low));
}

}  // namespace penstock::bench
