#include "image/recipe_params.h"

#include <algorithm>

namespace penstock::image {

Recipe recipe_of(const RecipeParams& p) {
  Recipe r = preset(p.preset);
  if (p.square >= 0) r.square = p.square;
  if (p.fit != "preset") r.fit = p.fit;
  if (!p.size.empty()) r.size = p.size;
  // A preset's crop is as large as its size: a new size is a new crop.
  if (!p.size.empty() && !r.crop.empty()) r.crop = p.size;
  if (!p.crop.empty()) r.crop = p.crop;
  if (p.filter != "preset") r.filter = p.filter;
  r.backend = p.backend;
  r.channels = p.channels;
  if (p.scale >= 0) r.scale = p.scale;
  if (!p.mean.empty()) r.mean = p.mean;
  if (!p.std.empty()) r.std = p.std;
  r.pad_value = p.pad_value;
  r.multiple = p.multiple;
  r.room = p.room;
  return r;
}

std::string conflict(const RecipeParams& p) {
  const Recipe r = recipe_of(p);
  if (r.fit != "none" && r.size.empty()) {
    return "fit: " + r.fit + " needs a size, such as size: [224, 224]";
  }
  if (r.size.size() > 2 || r.crop.size() > 2 || r.room.size() > 2) {
    return "size, crop and room are one side or [height, width]";
  }
  if (r.backend == "mediapipe" && r.fit != "letterbox") {
    return "backend: mediapipe belongs to fit: letterbox";
  }
  if (std::find(r.std.begin(), r.std.end(), 0.0) != r.std.end()) {
    return "std: 0 would divide by zero";
  }
  for (const auto* list : {&r.mean, &r.std}) {
    if (!list->empty() && list->size() != 1 && list->size() != 3) {
      return "mean and std have one value, or one for each of 3 channels";
    }
  }
  return "";
}

}  // namespace penstock::image
