#include "pipeline_run/input/json_raw.h"

#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::run {
namespace {

RawScalar scalar(const JsonView& value) {
  if (value.is_text()) return {.text = value.text(), .quoted = true};
  const bool is_scalar = !value.is_array() && !value.is_object() &&
                         value.value().data.index() != 0;
  if (!is_scalar) {
    value.fail("is no number, text, true or false, nor a list of them");
  }
  return {.text = json_text(value.value()), .quoted = false};
}

}  // namespace

Raw json_raw(const JsonView& value) {
  std::vector<RawScalar> list;
  if (value.is_object()) {
    for (const auto& [name, item] : value.members()) {
      list.push_back(
          {.text = str(name, ":", scalar(item).text), .quoted = true});
    }
    return list;
  }
  if (!value.is_array()) return scalar(value);
  for (const JsonView& item : value.items()) list.push_back(scalar(item));
  return list;
}

}  // namespace penstock::run
