#include "binding/own_preprocess.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>

namespace penstock::python {

void OwnPreprocess::preprocess(const Request& request, Item in,
                               ItemSink& out) const {
  const auto& own = params<OwnParams>(*this, request);
  const Held items(in_python([&] {
    return nb::object(
        object_.get().attr("preprocess")(dict_of(request, own), dict_of(in)));
  }));
  for (;;) {
    auto item = in_python([&]() -> std::optional<Item> {
      const nb::object next = items.get().attr("next")();
      if (next.is_none()) return std::nullopt;
      return item_of(nb::cast<nb::dict>(next));
    });
    if (!item) return;
    out.push(std::move(*item));  // waits without the GIL
  }
}

}  // namespace penstock::python
