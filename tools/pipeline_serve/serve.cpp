#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <optional>
#include <utility>

#include "common/harmless.h"
#include "common/program.h"
#include "common/stall_text.h"
#include "penstock/parallel.h"
#include "penstock/plugin_host.h"
#include "pipeline_serve/api/routes.h"
#include "pipeline_serve/options.h"
#include "pipeline_serve/pipelines.h"
#include "pipeline_serve/serving/keeper.h"
#include "pipeline_serve/serving/renewal.h"
#include "pipeline_serve/serving/summary.h"

namespace penstock::serve {
namespace {

namespace asio = boost::asio;

/// How long requests have to end once they were cancelled.
constexpr auto kLastWords = std::chrono::milliseconds(500);

void say(const std::string& text) {
  std::cerr << str("pipeline-serve: ", text, "\n") << std::flush;
}

bool is_loopback(const Address& address) {
  return !address.unix_path.empty() || address.host == "localhost" ||
         address.host == "::1" || address.host.starts_with("127.");
}

void check_address(const Options& options) {
  if (is_loopback(options.address) || !options.key_file.empty() ||
      options.is_insecure) {
    return;
  }
  throw Error(Code::kUsage,
              str("on ", options.address.host,
                  " anybody could use it: name keys with --api-key-file, or ",
                  "say --insecure"));
}

/// Settings that differ and that only a start takes over.
std::string only_at_start(const Options& now, const Options& fresh) {
  std::string out;
  const auto look = [&](const char* name, bool is_same) {
    if (!is_same) out += (out.empty() ? "" : ", ") + std::string(name);
  };
  look("host", now.address.host == fresh.address.host);
  look("port", now.address.port == fresh.address.port);
  look("unix_socket", now.address.unix_path == fresh.address.unix_path);
  look("tls_cert", now.certificate == fresh.certificate);
  look("tls_key", now.key == fresh.key);
  look("api_key_file", now.key_file.empty() || !fresh.key_file.empty());
  look("max_queue", now.served.max_queue == fresh.served.max_queue);
  look("request_timeout", now.served.timeout_s == fresh.served.timeout_s);
  look("stall_timeout", now.served.stall_s == fresh.served.stall_s);
  look("trace", now.trace == fresh.trace);
  return out;
}

/// Lets this thread interrupt those that compute as soon as it has something to
/// do, in turns of 0.1 ms: else a token waits for the end of a turn of theirs,
/// some 4 ms. Linux before 6.12 ignores it. Source: sched_setattr(2), and EEVDF
/// in the kernel's Documentation/scheduler/sched-eevdf.rst.
void take_short_turns() {
  struct {  // the kernel's sched_attr; its header and glibc's exclude each
            // other
    std::uint32_t size = 48;
    std::uint32_t policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = getpriority(PRIO_PROCESS, 0);
    std::uint32_t priority = 0;
    std::uint64_t runtime_ns = 100'000;
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
  } turns;
  static_assert(sizeof turns == 48);
  syscall(SYS_sched_setattr, 0, &turns, 0);
}

/// Everything that runs, in the order of its life.
class Program {
 public:
  Program(Options options, std::function<Options()> again)
      : options_(std::move(options)),
        again_(std::move(again)),
        plugins_(plugin_search_path(options_.plugin_path)),
        signals_(io_, SIGTERM, SIGINT, SIGHUP),
        drain_timer_(io_) {
    drain_s_ = options_.drain_s;
    options_.served.on_stall = on_stall;
    if (!options_.trace.empty()) options_.served.trace = &book_;
  }

  int operator()() {
    check_address(options_);
    for (auto& served : served_of(options_)) models_.add(std::move(served));
    if (options_.explain || options_.check) return tell();
    if (!options_.key_file.empty()) keys_.read(options_.key_file);
    write_trace();  // finds out now whether it can
    add_routes({.router = router_, .models = models_, .metrics = metrics_});
    options_.front.is_local = is_loopback(options_.address);
    front_ = std::make_unique<Front>(router_, keys_, options_.front);
    server_ = std::make_unique<Server>(io_, *front_);
    listen();
    keeper_.emplace(Keeper::Tasks{.open = [this] { open_models(); },
                                  .reload = [this] { reload(); },
                                  .close = [this] { return close_unused(); }});
    watch_signals();
    take_short_turns();
    io_.run();
    keeper_->end();
    end();
    return exit_code_;
  }

 private:
  static void on_stall(const Stall& stall) {
    if (stall.is_cancelled) return;  // it ends with its step
    std::string details = stall_details(stall);
    if (!details.empty()) details.pop_back();
    say(stall_text(stall) + (details.empty() ? "" : "\n") + details);
  }

  /// The pipelines that `asked` names; none is open.
  std::vector<std::unique_ptr<Served>> served_of(const Options& asked) {
    std::vector<std::unique_ptr<Served>> out;
    for (auto& [name, file] : load_pipelines(asked, plugins_)) {
      out.push_back(std::make_unique<Served>(name, std::move(file),
                                             options_.served, metrics_));
    }
    return out;
  }

  int tell() const {
    for (const Use& served : models_.all()) {
      for (const StepConfig& step : served->file().steps) {
        if (options_.explain) {
          std::cout << "# " << served->name() << "\n"
                    << penstock::explain(step.file);
        } else {
          const auto needs = check_pipeline(step.file);
          std::cout << served->name() << (step.name.empty() ? "" : ".")
                    << step.name << ": ok, " << needs.device << ", "
                    << (needs.memory.bytes >> 20U) << " MiB\n";
        }
      }
    }
    return 0;
  }

  void listen() {
    if (!options_.certificate.empty()) {
      server_->use_tls(options_.certificate, options_.key);
    }
    auto places = server_->listen_inherited();
    if (places.empty()) places.push_back(server_->listen(options_.address));
    for (const std::string& place : places) say("listening on " + place);
  }

  /// On the keeper's thread, as what follows: the server answers meanwhile.
  void open_models() {
    try {
      for (const Use& served : models_.all()) {
        if (is_ending_) return;
        served->open();
      }
      say("ready");
    } catch (...) {
      const Error error = caught();
      asio::post(io_, [this, error] {
        exit_code_ = complain("pipeline-serve", error);
        stop();
      });
    }
  }

  /// Everything that can change while it serves; with any fault, nothing.
  void reload() {
    if (is_ending_) return;
    try {
      write_trace();
    } catch (...) {
      complain("pipeline-serve");
    }
    try {
      const Options fresh = again_();
      auto wanted = served_of(fresh);
      if (!fresh.key_file.empty()) Keys().read(fresh.key_file);
      const Renewal renewal = renew(models_, std::move(wanted));
      if (is_ending_) close_doors();
      if (!fresh.key_file.empty()) keys_.read(fresh.key_file);
      asio::post(io_, [this, fresh] { take_over(fresh); });
      say("read again: " + renewal.text());
      const std::string late = only_at_start(options_, fresh);
      if (!late.empty()) say("only a restart takes over: " + late);
    } catch (...) {
      complain("pipeline-serve");
      say("not read again: everything stays as it was");
    }
  }

  bool close_unused() {
    return models_.close_unused([this](const Served& served) {
      if (!options_.trace.empty()) book_.keep(served.trace_json());
    });
  }

  void write_trace() {
    if (options_.trace.empty()) return;
    std::vector<std::string> running;
    for (const Use& served : models_.all_and_leaving()) {
      running.push_back(served->trace_json());
    }
    book_.write(options_.trace, running);
  }

  /// On the I/O thread, whose these are.
  void take_over(const Options& fresh) {
    drain_s_ = fresh.drain_s;
    try {
      front_->take_over(fresh.front);
    } catch (...) {
      complain("pipeline-serve");
    }
  }

  void watch_signals() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      handle(signal);
      watch_signals();
    });
  }

  void handle(int signal) {
    if (signal == SIGHUP) return keeper_->ask_reload();
    if (is_ending_) ::_exit(128 + signal);
    say("ending: what runs may end; again: end now");
    drain();
  }

  /// What runs may end.
  void drain() {
    end_within(std::chrono::duration_cast<std::chrono::milliseconds>(
                   std::chrono::duration<double>(drain_s_)),
               [this] { stop(); });
  }

  /// What runs is cancelled, and has its last words.
  void stop() {
    end_within(kLastWords, [this] { io_.stop(); });
    for (const Use& served : models_.all_and_leaving()) served->cancel_all();
  }

  void end_within(std::chrono::milliseconds most, std::function<void()> late) {
    is_ending_ = true;
    close_doors();
    front_->drain();
    server_->drain([this] { io_.stop(); });
    drain_timer_.expires_after(most);
    drain_timer_.async_wait(
        [late = std::move(late)](boost::system::error_code error) {
          if (!error) late();
        });
  }

  void close_doors() {
    for (const Use& served : models_.all_and_leaving()) served->close_door();
  }

  void end() {
    front_->join();
    if (options_.summary) {
      for (const std::string& line : summary(metrics_, models_)) say(line);
    }
    write_trace();
  }

  Options options_;  ///< those of the start
  std::function<Options()> again_;
  PluginHost plugins_;
  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::steady_timer drain_timer_;
  double drain_s_ = 0;
  Metrics metrics_;
  TraceBook book_;
  Models models_;
  Keys keys_;
  Router router_;
  std::unique_ptr<Front> front_;
  std::unique_ptr<Server> server_;
  std::atomic<bool> is_ending_{false};
  int exit_code_ = 0;
  std::optional<Keeper> keeper_;  ///< last: it uses all the others
};

}  // namespace

int serve(Options options, std::function<Options()> again) {
  return Program(std::move(options), std::move(again))();
}

}  // namespace penstock::serve
