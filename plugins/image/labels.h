// image.labels: class numbers to the words a person reads, as text, as JSON
// and drawn onto the picture.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/labels/label_file.h"
#include "penstock/postprocess.h"

namespace penstock::image {

/// Input: classes i64[N], scores f32[N]. Output: a line a class, and JSON
/// {"labels": [{"id", "label", "score"}]}.
///
/// Samples with a note `time` are frames of a film: a line a frame with its
/// time and best class, and JSON {"frames": [{"time", "frame", "labels"}]},
/// drawn as contact sheets of what image.fit made small.
class Labels final : public Postprocess {
 public:
  struct Params {
    std::string labels;
    std::string render;
  };
  static void declare(Declaration<Labels>& d);
  explicit Labels(Params params) : params_(std::move(params)) {}

  void open(StageContext& context) override;
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  Params params_;
  labels::ClassNames names_;
};

}  // namespace penstock::image
