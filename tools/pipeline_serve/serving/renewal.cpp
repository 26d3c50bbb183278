#include "pipeline_serve/serving/renewal.h"

#include <algorithm>
#include <utility>

namespace penstock::serve {
namespace {

void add_part(std::string& out, const char* what,
              const std::vector<std::string>& names) {
  if (names.empty()) return;
  if (!out.empty()) out += "; ";
  out += what;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += (i == 0 ? " " : ", ") + names[i];
  }
}

}  // namespace

std::string Renewal::text() const {
  std::string out;
  add_part(out, "added", added);
  add_part(out, "changed", changed);
  add_part(out, "removed", removed);
  return out.empty() ? "no pipeline changed" : out;
}

Renewal renew(Models& models, std::vector<std::unique_ptr<Served>> wanted) {
  Renewal out;
  std::vector<std::string> names;
  for (auto& each : wanted) {
    names.push_back(each->name());
    const Use now = models.find(each->name());
    if (now && now->fingerprint() == each->fingerprint()) {
      each.reset();
      continue;
    }
    (now ? out.changed : out.added).push_back(each->name());
  }
  std::erase(wanted, nullptr);
  for (const auto& each : wanted) each->open();
  for (const Use& each : models.all()) {
    if (std::find(names.begin(), names.end(), each->name()) == names.end()) {
      out.removed.push_back(each->name());
    }
  }
  models.replace(std::move(wanted), names);
  return out;
}

}  // namespace penstock::serve
