// core.map: one small step on a text or a JSON document before the model: a
// template, a piece of JSON, a split, a filter, a replacement.
#pragma once

#include <memory>
#include <string>

#include "core/map_step.h"
#include "penstock/preprocess.h"

namespace penstock::core {

/// Input: the request's text, or what a stage before made of it. Output: note
/// `text`; an item for each text that the step makes. Entries of the preprocess
/// list that are core.map are done in their order.
class Map final : public Preprocess {
 public:
  struct Params {
    std::string step = "template";
    std::string by = "{text}";
    std::string with;
    std::string input = "text";
    std::int64_t max_items = 10'000;
    std::int64_t max_bytes = 16 << 20;
  };
  static void declare(Declaration<Map>& d);
  explicit Map(const Params& params);

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  Params params_;
  std::unique_ptr<const MapStep> step_;
};

}  // namespace penstock::core
