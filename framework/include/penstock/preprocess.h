// Preprocess: what does the model see of one input?
#pragma once

#include <string>

#include "penstock/sequence.h"
#include "penstock/stage.h"

namespace penstock {

/// Where a Preprocess puts what it made.
class PENSTOCK_API ItemSink {
 public:
  virtual ~ItemSink();
  /// Waits while the engine is behind; throws Cancelled.
  virtual void push(Item item) = 0;
  /// Tells whoever asked what is no error, such as that a film has no sound:
  /// one line, for Report::warnings. Sinks that have none drop it.
  virtual void warn(std::string text);
};

/// The text that a stage before this one made (kText), else the request's input
/// of that name. A stage that calls it declares uses(kText), one that changes
/// the text makes(kText). Throws as text_input().
[[nodiscard]] PENSTOCK_API const std::string& text_of(
    const Request& request, const Item& item,
    const std::string& input = "text");

/// Called by several threads at once, hence const: what belongs to a request
/// lives on the stack. Stages of a list chain: the first gets an empty Item,
/// each next one what the one before pushed.
class PENSTOCK_API Preprocess : public Stage {
 public:
  static constexpr StageKind kKind = StageKind::kPreprocess;
  /// May push any number of items. An error fails this request only.
  virtual void preprocess(const Request& request, Item in,
                          ItemSink& out) const = 0;
};

}  // namespace penstock
