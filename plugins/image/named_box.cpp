#include "image/named_box.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "penstock/tensor_names.h"

namespace penstock::image {

using BoxesJson = nlohmann::ordered_json;

std::string fixed(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

std::vector<NamedBox> named_boxes(const Decoded& decoded,
                                  const labels::ClassNames& names) {
  const auto places =
      get(decoded.tensors, tensors::kBoxes).to(at::kDouble).contiguous();
  const auto classes = get(decoded.tensors, tensors::kClasses);
  const auto scores = get(decoded.tensors, tensors::kClassScores);
  const at::Tensor* corners = find(decoded.tensors, tensors::kCorners);
  std::vector<NamedBox> boxes;
  for (std::int64_t i = 0; i < classes.numel(); ++i) {
    const auto id = classes.const_data_ptr<std::int64_t>()[i];
    const auto* const p = places.const_data_ptr<double>() + 4 * i;
    boxes.push_back(
        {.id = id,
         .name = names.of(id),
         .score = double{scores.const_data_ptr<float>()[i]},
         .at = {.left = p[0], .top = p[1], .right = p[2], .bottom = p[3]}});
    if (corners == nullptr) continue;
    const auto* const c = corners->const_data_ptr<float>() + 8 * i;
    std::copy(c, c + 8, boxes.back().corners.emplace().begin());
  }
  return boxes;
}

std::string line_of(const NamedBox& box) {
  const auto pixel = [](double place) { return fixed(place, 0); };
  const std::string number = box.track > 0 ? (box.name.empty() ? "#" : " #") +
                                                 std::to_string(box.track)
                                           : "";
  const std::string what = box.name + number;
  return fixed(box.score, 3) + "  " + what + (what.empty() ? "" : "  ") +
         "at " + pixel(box.at.left) + "," + pixel(box.at.top) + " to " +
         pixel(box.at.right) + "," + pixel(box.at.bottom);
}

BoxesJson json_of(const std::vector<NamedBox>& boxes) {
  const auto rounded = [](double place) {
    return std::round(place * 100) / 100;
  };
  BoxesJson list = BoxesJson::array();
  for (const NamedBox& box : boxes) {
    BoxesJson& entry = list.emplace_back(BoxesJson{{"id", box.id}});
    if (!box.name.empty()) entry["label"] = box.name;
    entry["score"] = box.score;
    entry["box"] =
        BoxesJson::array({rounded(box.at.left), rounded(box.at.top),
                          rounded(box.at.right), rounded(box.at.bottom)});
    if (box.track > 0) entry["track"] = box.track;
  }
  return list;
}

}  // namespace penstock::image
