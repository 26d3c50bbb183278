#include "pipeline_serve/serving/models.h"

#include <algorithm>
#include <utility>

#include "penstock/params.h"

namespace penstock::serve {
namespace {

using All = std::vector<std::unique_ptr<Served>>;

std::unique_ptr<Served> take(All& from, const std::string& name) {
  const auto found =
      std::find_if(from.begin(), from.end(), [&](const auto& each) {
        return each != nullptr && each->name() == name;
      });
  return found == from.end() ? nullptr : std::move(*found);
}

}  // namespace

Models::~Models() {
  for (const Use& each : all_and_leaving()) each->cancel_all();
  for (const All* some : {&all_, &leaving_}) {
    for (const auto& each : *some) each->wait_unused();
  }
}

void Models::add(std::unique_ptr<Served> served) {
  const std::scoped_lock lock(mutex_);
  all_.push_back(std::move(served));
}

Use Models::find(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& each : all_) {
    if (each->name() == name) return each->use();
  }
  return nullptr;
}

std::vector<Use> Models::all() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Use> out;
  for (const auto& each : all_) out.push_back(each->use());
  return out;
}

std::vector<Use> Models::all_and_leaving() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Use> out;
  for (const All* some : {&all_, &leaving_}) {
    for (const auto& each : *some) out.push_back(each->use());
  }
  return out;
}

bool Models::is_ready() const {
  const std::scoped_lock lock(mutex_);
  return std::all_of(all_.begin(), all_.end(), [](const auto& each) {
    return each->is_ready() && !each->is_closed();
  });
}

void Models::replace(All fresh, const std::vector<std::string>& names) {
  const std::scoped_lock lock(mutex_);
  All now;
  for (const std::string& name : names) {
    auto served = take(fresh, name);
    if (!served) served = take(all_, name);
    if (served) now.push_back(std::move(served));
  }
  for (auto& each : all_) {
    if (each) leaving_.push_back(std::move(each));
  }
  all_ = std::move(now);
}

Models::All Models::take_unused() {
  const std::scoped_lock lock(mutex_);
  All out;
  for (auto& each : leaving_) {
    // Nobody finds it, so that what is not used now never will be.
    if (each->is_used()) continue;
    generated_[each->name()] += each->generated();
    out.push_back(std::move(each));
  }
  std::erase(leaving_, nullptr);
  return out;
}

bool Models::close_unused(const std::function<void(const Served&)>& last) {
  const All unused = take_unused();
  for (const auto& each : unused) {
    if (last) last(*each);
  }
  const std::scoped_lock lock(mutex_);
  return !leaving_.empty();
}

std::int64_t Models::generated(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = generated_.find(name);
  std::int64_t out = found == generated_.end() ? 0 : found->second;
  for (const All* some : {&all_, &leaving_}) {
    for (const auto& each : *some) {
      if (each->name() == name) out += each->generated();
    }
  }
  return out;
}

const StageConfig* stage_of_option(const PipelineFile& file,
                                   const std::string& name) {
  for (const StageConfig* stage : file.stages()) {
    const ParamSpec* spec =
        stage->spec == nullptr ? nullptr : stage->spec->params.find(name);
    if (spec != nullptr && spec->is_per_request) return stage;
  }
  return nullptr;
}

Use model_named(const Models& models, const std::string& name) {
  if (Use found = models.find(name)) return found;
  std::vector<std::string> names;
  for (const Use& each : models.all()) names.push_back(each->name());
  throw http_error(404,
                   str("the model '", name.substr(0, 200),
                       "' is not served here", suggestion(name, names)),
                   "model", "model_not_found");
}

}  // namespace penstock::serve
