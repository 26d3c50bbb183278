#include "pipeline_run/signals.h"

#include <unistd.h>

#include <csignal>
#include <iostream>
#include <utility>

namespace penstock::run {
namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR2);  // our own: the run is over
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  (void)std::signal(SIGPIPE, SIG_IGN);  // write() says EPIPE
  thread_ = std::thread([this] { wait(); });
}

Signals::~Signals() {
  is_over_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
}

void Signals::on_stop(std::function<void()> stop) {
  const std::scoped_lock lock(mutex_);
  stop_ = std::move(stop);
}

void Signals::on_interrupt(std::function<bool()> handle) {
  const std::scoped_lock lock(mutex_);
  interrupt_ = std::move(handle);
}

void Signals::wait() {
  const sigset_t set = watched();
  for (;;) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (is_over_) return;
    if (signal == SIGUSR2) continue;
    const int code = 128 + signal;
    const std::scoped_lock lock(mutex_);
    if (signal == SIGINT && interrupt_ && interrupt_()) continue;
    if (!stop_ || exit_code_ != 0) _exit(code);
    exit_code_ = code;
    std::cerr << "pipeline-run: stopping; again: end now\n" << std::flush;
    stop_();
  }
}

}  // namespace penstock::run
