#include "penstock/stage_spec.h"

namespace penstock {

std::string to_string(StageKind kind) {
  switch (kind) {
    case StageKind::kPreprocess:
      return "preprocess";
    case StageKind::kBatch:
      return "batch";
    case StageKind::kForward:
      return "forward";
    case StageKind::kRule:
      return "rule";
    case StageKind::kDecode:
      return "decode";
    case StageKind::kPostprocess:
      return "postprocess";
  }
  return "";
}

std::string to_string(Layout layout) {
  switch (layout) {
    case Layout::kStacked:
      return "stacked";
    case Layout::kPadded:
      return "padded";
    case Layout::kPacked:
      return "packed";
  }
  return "";
}

}  // namespace penstock
