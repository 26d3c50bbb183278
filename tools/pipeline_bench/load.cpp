#include "pipeline_bench/load.h"

#include <cmath>
#include <memory>
#include <random>
#include <thread>

namespace penstock::bench {
namespace {

double ms(Time from, Time to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

/// Notes when the pieces of one request come.
class Watch final : public ResultSink {
 public:
  Watch(Time sent_at, Time submitted_at)
      : sent(sent_at), submitted(submitted_at) {}
  void piece(const Request& /*request*/, const Value& /*value*/, int /*branch*/,
             bool /*is_final*/) override {
    const Time now = Clock::now();
    if (last_) timed.between_ms.push_back(ms(*last_, now));
    if (!last_) timed.first_ms = ms(sent, now);
    last_ = now;
  }
  void done(const Request& /*request*/, const Report& report) override {
    timed.whole_ms = ms(sent, Clock::now());
    timed.wait_ms = ms(sent, submitted) + report.timing.queue_ms;
    timed.prompt_tokens = report.prompt_tokens;
    for (const Branch& branch : report.branches) {
      timed.new_tokens += std::ssize(branch.token_ids);
    }
    timed.prefill_ms = report.timing.prefill_ms;
    timed.decode_ms = report.timing.decode_ms;
    error = report.error;
  }

  Time sent, submitted;
  Timed timed;
  std::optional<Error> error;

 private:
  std::optional<Time> last_;
};

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
  for (std::size_t i = 0; i < now.closed_for.size(); ++i) {
    now.closed_for.at(i) -= before.closed_for.at(i);
  }
  return now;
}

}  // namespace

std::string Load::text() const {
  return is_open() ? str(rate, "/s") : str(batch, " at a time");
}

std::vector<double> arrivals(double rate, int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> at;
  double now = 0;
  for (int i = 0; i < count; ++i) {
    at.push_back(now);
    // 53 bits of the generator: a number in [0, 1), the same everywhere.
    const double share = static_cast<double>(random() >> 11U) * 0x1p-53;
    now += -std::log1p(-share) / rate;
  }
  return at;
}

Run run_once(Runner& runner, const std::vector<Request>& requests,
             const Load& load, std::uint64_t seed) {
  const auto at = load.is_open() ? arrivals(load.rate, load.requests, seed)
                                 : std::vector<double>();
  const Stats before = runner.stats().front().second;
  std::vector<std::shared_ptr<Watch>> all;
  Run run;
  run.begin = Clock::now();
  {
    const auto more = runner.more_coming();
    for (int i = 0; i < load.requests; ++i) {
      const auto place = static_cast<std::size_t>(i);
      Request request = requests[place % requests.size()];
      request.id = std::to_string(i);
      Time sent = Clock::now();
      if (load.is_open()) {
        sent = run.begin + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(at[place]));
        std::this_thread::sleep_until(sent);
      }
      all.push_back(std::make_shared<Watch>(sent, Clock::now()));
      runner.submit(std::move(request), all.back());
    }
  }
  runner.drain();
  run.end = Clock::now();
  run.stats = since(runner.stats().front().second, before);
  for (const auto& each : all) {
    if (each->error) throw Error(*each->error);
    run.requests.push_back(std::move(each->timed));
  }
  return run;
}

}  // namespace penstock::bench
