#include "lib/exported/file_forward.h"

#include "penstock/error.h"

namespace penstock::exported {

const std::string& FileForward::model_of(const StageContext& context) {
  if (!context.model.empty()) return context.model;
  throw Error(Code::kNotFound,
              "no model is named; write `model:` into the pipeline file or "
              "pass --set model=...");
}

}  // namespace penstock::exported
