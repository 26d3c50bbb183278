#include "config/conflict.h"

#include <exception>

#include "penstock/error.h"

namespace penstock::config {

std::string conflict_of(const StageSpec& stage, const void* params) {
  std::string reason;
  try {
    return stage.params.conflict(params);
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
    reason = "what is no std::exception";
  }
  throw Error(
      Code::kInternal,
      str("plugin '", stage.name.substr(0, stage.name.find('.')),
          "': the check of the params of its stage '", stage.name,
          "' threw: ", reason, "; that is for the plugin's author to mend"));
}

}  // namespace penstock::config
