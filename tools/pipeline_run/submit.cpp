#include "pipeline_run/submit.h"

#include <utility>

#include "pipeline_run/input/response_format.h"

namespace penstock::run {
namespace {

void check(const Runner& runner, const Request& request) {
  try {
    runner.check(request);
  } catch (const Error& error) {
    const std::string advice = rule_advice(error.text());
    if (advice.empty()) throw;
    throw Error(error.code(), error.text() + advice);
  }
}

void submit(const Options& options, Runner& runner, const Wrap& wrap,
            Printer& printer, Input input, const Stop& stop) {
  Request& request = input.request;
  if (options.timeout_s > 0 && !request.deadline) {
    request.deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(options.timeout_s));
  }
  try {
    if (input.error) throw Error(*input.error);
    check(runner, request);
  } catch (Error& error) {
    printer.refuse(
        request,
        input.place.empty() ? error : error.in(Place::input(input.place)),
        input.openai);
    return;
  }
  auto sink = wrap(printer.next(request, input.openai));
  std::stop_source source = runner.submit(std::move(request), std::move(sink));
  // It may have waited for room while the others were cancelled.
  if (stop.is_requested()) source.request_stop();
}

}  // namespace

void submit_all(const Options& options, Runner& runner, const Wrap& wrap,
                Printer& printer, const Inputs& inputs, const Stop& stop) {
  const auto more = runner.more_coming();
  while (!stop.is_requested()) {
    auto input = inputs.next();
    if (!input || stop.is_requested()) return;
    submit(options, runner, wrap, printer, std::move(*input), stop);
  }
}

}  // namespace penstock::run
