// text.csv: a table in a file, an item a row.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "penstock/preprocess.h"

namespace penstock::text {

/// Input: `file`. Output: an item for each row, with the notes `text`, `line`
/// and `path`. The text is the cell of one column, or the whole row as a JSON
/// object, of which core.map takes members. Reads on as the items are taken.
class Csv final : public Preprocess {
 public:
  struct Params {
    std::string column;
    std::string separator = ",";
    bool header = true;
    std::int64_t max_bytes = 1 << 20;
  };
  static void declare(Declaration<Csv>& d);
  explicit Csv(Params params) : params_(std::move(params)) {}

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  [[nodiscard]] std::string text_of_row(
      const std::vector<std::string>& names,
      const std::vector<std::string>& row) const;

  Params params_;
};

}  // namespace penstock::text
