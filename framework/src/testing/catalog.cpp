#include "penstock/plugin.h"
#include "penstock/testing/run_stage.h"

// Defined by PENSTOCK_PLUGIN where a plugin's objects are linked to the test.
extern "C" __attribute__((weak)) const penstock::PluginEntry* penstock_plugin();

namespace penstock::testing {

struct LinkedCatalog::Impl {
  Registry registry{""};
  std::string prefix;
  PluginHost host{PluginHost::search_path()};
};

LinkedCatalog::LinkedCatalog() : impl_(std::make_unique<Impl>()) {
  if (penstock_plugin == nullptr) return;
  const PluginEntry* entry = penstock_plugin();
  impl_->registry = Registry(entry->name);
  impl_->prefix = str(entry->name, ".");
  entry->add_stages(impl_->registry);
}

LinkedCatalog::~LinkedCatalog() = default;

const StageSpec& LinkedCatalog::find(const std::string& use) {
  if (impl_->prefix.empty() || !use.starts_with(impl_->prefix)) {
    return impl_->host.find(use);
  }
  std::vector<std::string> names;
  for (const StageSpec& spec : linked()) {
    if (spec.name == use || spec.former == use) return spec;
    names.push_back(spec.name);
  }
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  throw Error(Code::kData, str("the plugin of this test has no stage '", use,
                               "'", suggestion(use, names), "; it has ", list));
}

std::vector<const StageSpec*> LinkedCatalog::known() const {
  auto all = impl_->host.known();
  for (const StageSpec& spec : linked()) all.push_back(&spec);
  return all;
}

const std::vector<StageSpec>& LinkedCatalog::linked() const {
  return impl_->registry.specs();
}

}  // namespace penstock::testing
