#include "binding/own_stages.h"

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "binding/declare.h"

namespace penstock::python {
namespace {

std::mutex& own_mutex() {
  static std::mutex mutex;
  return mutex;
}

/// Never destroyed, and nothing is taken out: open pipelines point into it,
/// also where a cell of a notebook declares its stage again.
struct Own {
  std::vector<std::unique_ptr<const StageSpec>> all;
  std::map<std::string, const StageSpec*> by_name;
};
Own& own() {
  static auto* all = new Own;
  return *all;
}

}  // namespace

void keep_own_stage(StageSpec spec) {
  const std::scoped_lock lock(own_mutex());
  auto& kept = own().all.emplace_back(
      std::make_unique<const StageSpec>(std::move(spec)));
  own().by_name[kept->name] = kept.get();
}

const StageSpec* find_own_stage(const std::string& name) {
  const std::scoped_lock lock(own_mutex());
  const auto found = own().by_name.find(name);
  return found == own().by_name.end() ? nullptr : found->second;
}

std::vector<const StageSpec*> own_stages() {
  const std::scoped_lock lock(own_mutex());
  std::vector<const StageSpec*> out;
  for (const auto& [name, spec] : own().by_name) out.push_back(spec);
  return out;
}

const StageSpec& OwnCatalog::find(const std::string& use) {
  const StageSpec* found = find_own_stage(use);
  return found != nullptr ? *found : others_.find(use);
}

std::vector<const StageSpec*> OwnCatalog::known() const {
  auto out = own_stages();
  const auto others = others_.known();
  out.insert(out.end(), others.begin(), others.end());
  return out;
}

}  // namespace penstock::python
