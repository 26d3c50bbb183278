// text.lines: a file of text, an item a line.
#pragma once

#include <string>
#include <utility>

#include "penstock/preprocess.h"

namespace penstock::text {

/// Input: `file`. Output: an item for each line, with the notes `text`, `line`
/// and `path`. Reads on as the items are taken, so the file may be of any size.
class Lines final : public Preprocess {
 public:
  struct Params {
    bool skip_empty = true;
    std::int64_t max_bytes = 1 << 20;
  };
  static void declare(Declaration<Lines>& d);
  explicit Lines(const Params& params) : params_(params) {}

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  Params params_;
};

}  // namespace penstock::text
