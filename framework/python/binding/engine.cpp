#include "binding/engine.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "binding/own_stages.h"
#include "penstock/parallel.h"

namespace penstock::python {
namespace {

namespace fs = std::filesystem;

/// The process that opened the first plugin or engine; 0: none did.
std::atomic<int> first_process = 0;

/// Keeps the budget of threads that the first engine of a process was given:
/// the device's thread has its team from then on.
void set_threads_once(const CompositionFile& file) {
  static std::once_flag once;
  std::call_once(once, [&] {
    set_threads(static_cast<int>(
        std::get<std::int64_t>(file.steps.front().file.threads.value)));
  });
}

FindPipeline finder(const std::vector<std::string>& folders) {
  return [folders](const std::string& name, const fs::path& folder) {
    std::vector<fs::path> tried{folder / name};
    for (const auto& each : folders) tried.push_back(fs::path(each) / name);
    for (const fs::path& path : tried) {
      if (fs::exists(path)) return path;
    }
    throw Error(Code::kNotFound, str("there is no pipeline file '", name, "'"));
  };
}

}  // namespace

void refuse_after_fork() {
  const int self = getpid();
  int first = 0;
  if (first_process.compare_exchange_strong(first, self) || first == self) {
    return;
  }
  throw Error(Code::kUsage,
              "this process was forked from one that had opened a pipeline: "
              "the engine's threads did not come along; start processes with "
              "multiprocessing's 'spawn', or open the first pipeline after "
              "the fork");
}

PluginHost& plugin_host(const std::vector<std::string>& path) {
  static std::mutex mutex;
  // Never destroyed: stages made by plugins may outlive every static.
  static auto* hosts =
      new std::map<std::vector<std::string>, std::unique_ptr<PluginHost>>;
  refuse_after_fork();
  const std::scoped_lock lock(mutex);
  auto& host = (*hosts)[path];
  if (host == nullptr) {
    host = std::make_unique<PluginHost>(PluginHost::search_path(
        std::vector<fs::path>(path.begin(), path.end())));
  }
  return *host;
}

CompositionFile load(const FileSource& source) {
  // The host and yaml-cpp are not for several threads at once.
  static std::mutex mutex;
  PluginHost& host = plugin_host(source.plugin_path);
  auto overrides = overrides_from_environment();
  overrides.insert(overrides.end(), source.overrides.begin(),
                   source.overrides.end());
  const std::scoped_lock lock(mutex);
  OwnCatalog catalog(host);
  return load_file(source.path, catalog, overrides,
                   finder(source.pipeline_path));
}

class Engine::Use {
 public:
  explicit Use(Engine& engine) : engine_(engine) {
    refuse_after_fork();
    const std::scoped_lock lock(engine_.mutex_);
    if (engine_.is_closing_) {
      throw Error(Code::kUsage, "the pipeline is closed");
    }
    ++engine_.users_;
  }
  ~Use() {
    {
      const std::scoped_lock lock(engine_.mutex_);
      --engine_.users_;
    }
    engine_.unused_.notify_all();
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  Runner* operator->() const { return engine_.runner_.get(); }

 private:
  Engine& engine_;
};

Engine::Engine(const FileSource& source, int max_in_flight, bool until_decode)
    : board_(std::make_shared<Board>(max_in_flight)),
      file_(load(source)),
      process_(getpid()) {
  set_threads_once(file_);
  PipelineOptions options;
  options.max_in_flight = max_in_flight;
  if (until_decode) options.until = StageKind::kDecode;
  runner_ = std::make_unique<Runner>(file_, options);
  facts_ = runner_->facts();
  device_ = runner_->device();
}

Engine::~Engine() {
  close();
  // Of a fork's copy the locks stay held by threads that it does not have.
  if (process_ != getpid()) {
    (void)runner_.release();  // NOLINT(bugprone-unused-return-value)
  }
}

std::shared_ptr<Call> Engine::submit(Request request, bool is_streamed,
                                     std::shared_ptr<Watch> watch) {
  bool is_submitted = false;
  const std::string id = request.id;
  try {
    const Use runner(*this);
    const auto call = std::make_shared<Call>(
        id, file_.steps.back().name, is_streamed, board_, std::move(watch));
    runner->check(request);
    is_submitted = true;  // from here on done() leaves the board
    call->set_stop(runner->submit(std::move(request), call));
    return call;
  } catch (Error& error) {
    if (!is_submitted) board_->leave();
    throw error.in(Place::request(id));
  }
}

int Engine::hold_more() {
  const Use runner(*this);
  auto more = runner->more_coming();
  const std::scoped_lock lock(mutex_);
  more_[++last_more_] = std::move(more);
  return last_more_;
}

void Engine::drop_more(int number) {
  std::shared_ptr<void> more;
  std::unique_lock lock(mutex_);
  const auto found = more_.find(number);
  if (is_closing_ || found == more_.end()) return;  // close() drops it
  more = std::move(found->second);
  more_.erase(found);
  ++users_;
  lock.unlock();
  more.reset();
  lock.lock();
  --users_;
  unused_.notify_all();
}

std::vector<std::pair<std::string, Stats>> Engine::stats() {
  const Use runner(*this);
  return runner->stats();
}

void Engine::close() {
  // A fork's copy has no threads to wait for.
  if (process_ != getpid()) return;
  std::unique_lock lock(mutex_);
  if (std::exchange(is_closing_, true)) {
    unused_.wait(lock, [&] { return is_closed_; });
    return;
  }
  lock.unlock();
  board_->close();
  runner_->cancel_all();
  lock.lock();
  unused_.wait(lock, [&] { return users_ == 0; });
  lock.unlock();
  more_.clear();
  runner_.reset();  // cancels what came meanwhile
  lock.lock();
  is_closed_ = true;
  unused_.notify_all();
}

}  // namespace penstock::python
