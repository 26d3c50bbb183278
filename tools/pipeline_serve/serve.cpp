#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <iostream>
#include <thread>
#include <utility>

#include "common/harmless.h"
#include "common/program.h"
#include "penstock/parallel.h"
#include "penstock/plugin_host.h"
#include "pipeline_run/input/find_pipeline.h"
#include "pipeline_serve/api/routes.h"
#include "pipeline_serve/options.h"

namespace penstock::serve {
namespace {

namespace asio = boost::asio;

/// How long requests have to end once they were cancelled.
constexpr auto kLastWords = std::chrono::milliseconds(500);

void say(const std::string& text) {
  std::cerr << str("pipeline-serve: ", text, "\n") << std::flush;
}

struct Named {
  std::string name;  ///< empty: the file's own
  std::string file;

  /// What --set calls it, before its file is read.
  [[nodiscard]] std::string key() const {
    return name.empty() ? std::filesystem::path(file).stem().string() : name;
  }
};

Named named(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return {.name = {}, .file = text};
  return {.name = text.substr(0, equals), .file = text.substr(equals + 1)};
}

/// The overrides of one pipeline, without its name.
std::vector<Override> overrides_of(const std::string& name,
                                   const std::vector<Override>& all) {
  std::vector<Override> out;
  for (const Override& each : all) {
    if (!each.key.starts_with(name + ".")) continue;
    out.push_back(each);
    out.back().key = each.key.substr(name.size() + 1);
  }
  return out;
}

/// Whether the batch has that param and nobody has set it.
bool is_default(const PipelineFile& file, const std::string& param) {
  const auto& settings = file.batch.settings;
  const auto found = settings.find(param);
  return found != settings.end() && found->second.source == "default";
}

void set_default(PipelineFile& file, const std::string& param,
                 const std::string& value) {
  if (!is_default(file, param)) return;
  override_params(file, {{"batch." + param, value, "pipeline-serve"}});
}

/// People send one long instruction with many questions: what prompts share is
/// computed once, within this much memory. And they read along: a step that
/// takes in prompts is not much longer than one that does not. A file that says
/// otherwise wins.
void serve_people(CompositionFile& composition) {
  for (StepConfig& step : composition.steps) {
    set_default(step.file, "prefix_cache", "true");
    set_default(step.file, "kept_mib", "256");
    if (is_default(step.file, "step_ms")) {
      set_default(step.file, "step_ratio", "2");
    }
  }
}

/// Every file, with its name; all faults at once.
std::vector<std::pair<std::string, CompositionFile>> load_all(
    const Options& options, PluginHost& plugins) {
  std::vector<std::pair<std::string, CompositionFile>> out;
  std::vector<std::string> problems;
  for (const std::string& text : options.pipelines) {
    Named pipeline = named(text);
    auto& [name, file] = pipeline;
    try {
      auto loaded = run::load_named(
          file, plugins, overrides_of(pipeline.key(), options.overrides));
      serve_people(loaded);
      if (name.empty()) name = loaded.name;
      for (const auto& [other, unused] : out) {
        if (other == name) {
          throw Error(Code::kUsage, str("'", name, "' is served twice; write ",
                                        "NAME=", file));
        }
      }
      out.emplace_back(name, std::move(loaded));
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
  if (!problems.empty()) throw ConfigError(std::move(problems));
  return out;
}

void check_overrides(const Options& options, const Models& models) {
  for (const Override& each : options.overrides) {
    const std::string name = each.key.substr(0, each.key.find('.'));
    const bool is_known = std::any_of(
        options.pipelines.begin(), options.pipelines.end(),
        [&](const std::string& text) { return name == named(text).key(); });
    if (is_known) continue;
    std::vector<std::string> names;
    for (const auto& served : models.all()) names.push_back(served->name());
    throw Error(Code::kUsage, str("--set ", each.key, ": no pipeline '", name,
                                  "' is served; write NAME.stage.param=value",
                                  suggestion(name, names)));
  }
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

/// Everything that runs, in the order of its life.
class Program {
 public:
  explicit Program(Options options)
      : options_(std::move(options)),
        plugins_(plugin_search_path(options_.plugin_path)),
        signals_(io_, SIGTERM, SIGINT, SIGHUP),
        drain_timer_(io_) {}

  int operator()() {
    check_address(options_);
    add_models_of(load_all(options_, plugins_));
    check_overrides(options_, models_);
    if (options_.explain || options_.check) return tell();
    if (!options_.key_file.empty()) keys_.read(options_.key_file);
    add_routes({.router = router_, .models = models_, .metrics = metrics_});
    options_.front.is_local = is_loopback(options_.address);
    front_ = std::make_unique<Front>(router_, keys_, options_.front);
    server_ = std::make_unique<Server>(io_, *front_);
    listen();
    watch_signals();
    std::thread opening([this] { open_models(); });
    io_.run();
    opening.join();
    end();
    return exit_code_;
  }

 private:
  void add_models_of(
      std::vector<std::pair<std::string, CompositionFile>> files) {
    options_.served.on_stall = [](const Stall& stall) {
      if (stall.is_cancelled) return;  // it ends with its step
      say(str(stall.place, " has not returned for ", stall.seconds,
              " s, request '", stall.request, "'"));
    };
    for (auto& [name, file] : files) {
      models_.add(std::make_unique<Served>(name, std::move(file),
                                           options_.served, metrics_));
    }
  }

  int tell() const {
    for (const auto& served : models_.all()) {
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

  /// On a thread of its own: the server answers meanwhile.
  void open_models() {
    try {
      for (const auto& served : models_.all()) {
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

  void watch_signals() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      handle(signal);
      watch_signals();
    });
  }

  void handle(int signal) {
    if (signal == SIGHUP) return reload();
    if (is_ending_) ::_exit(128 + signal);
    say("ending: what runs may end; again: end now");
    drain();
  }

  /// New keys from the next request on; without a fault only.
  void reload() {
    if (options_.key_file.empty()) return;
    try {
      keys_.read(options_.key_file);
      say("keys were read again");
    } catch (...) {
      complain("pipeline-serve");
    }
  }

  /// What runs may end.
  void drain() {
    end_within(std::chrono::duration_cast<std::chrono::milliseconds>(
                   std::chrono::duration<double>(options_.drain_s)),
               [this] { stop(); });
  }

  /// What runs is cancelled, and has its last words.
  void stop() {
    end_within(kLastWords, [this] { io_.stop(); });
    for (const auto& served : models_.all()) served->cancel_all();
  }

  void end_within(std::chrono::milliseconds most, std::function<void()> late) {
    is_ending_ = true;
    for (const auto& served : models_.all()) served->close_door();
    front_->drain();
    server_->drain([this] { io_.stop(); });
    drain_timer_.expires_after(most);
    drain_timer_.async_wait(
        [late = std::move(late)](boost::system::error_code error) {
          if (!error) late();
        });
  }

  void end() {
    front_->join();
    if (!options_.summary) return;
    metrics_.each([](const std::string& name, const Metrics::Of& of) {
      say(str(name, ": ", of.requests, " requests, ", of.failed, " failed, ",
              of.cancelled, " cancelled, ", of.refused, " refused, ",
              of.prompt_tokens, " prompt tokens, ", of.generation_tokens,
              " generated"));
    });
  }

  Options options_;
  PluginHost plugins_;
  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::steady_timer drain_timer_;
  Metrics metrics_;
  Models models_;
  Keys keys_;
  Router router_;
  std::unique_ptr<Front> front_;
  std::unique_ptr<Server> server_;
  std::atomic<bool> is_ending_{false};
  int exit_code_ = 0;
};

}  // namespace

int serve(Options options) { return Program(std::move(options))(); }

}  // namespace penstock::serve
