#include "image/draw_boxes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "image/crop.h"
#include "image/draw.h"
#include "image/request_picture.h"
#include "lib/labels/label_file.h"
#include "penstock/drawing.h"
#include "penstock/keys.h"
#include "penstock/tensor_names.h"

namespace penstock::image {
namespace {

using BoxJson = nlohmann::ordered_json;

std::string fixed(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

struct NamedBox {
  std::int64_t id = 0;
  std::string name;
  double score = 0;
  Extent at;
  std::optional<Corners> corners = {};  ///< of what is turned
};

/// 0.921  face  at 203,58 to 302,177
std::string line_of(const NamedBox& box) {
  const auto pixel = [](double place) { return fixed(place, 0); };
  return fixed(box.score, 3) + "  " + box.name + "  at " + pixel(box.at.left) +
         "," + pixel(box.at.top) + " to " + pixel(box.at.right) + "," +
         pixel(box.at.bottom);
}

BoxJson json_of(const std::vector<NamedBox>& boxes) {
  const auto rounded = [](double place) {
    return std::round(place * 100) / 100;
  };
  BoxJson list = BoxJson::array();
  for (const NamedBox& box : boxes) {
    list.push_back(
        {{"id", box.id},
         {"label", box.name},
         {"score", box.score},
         {"box",
          BoxJson::array({rounded(box.at.left), rounded(box.at.top),
                          rounded(box.at.right), rounded(box.at.bottom)})}});
  }
  return list;
}

class BoxWriter final : public Writer {
 public:
  BoxWriter(const Request& request, const std::vector<std::string>& names,
            const DrawBoxes::Params& params)
      : request_(request), names_(names), params_(params) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    const std::vector<NamedBox> boxes = boxes_of(decoded);
    out.emit(penstock::Json{json_text(decoded, boxes)}, decoded.branch,
             /*is_final=*/false);
    if (params_.crops) cut(*decoded.item, boxes, decoded.branch, out);
    if (!params_.render.empty()) draw(*decoded.item, boxes);
    lines_.begin(decoded, out);
    out.emit(text_of(decoded, boxes), decoded.branch, /*is_final=*/true);
    return true;
  }
  void end(OutputSink& /*out*/) override {}

 private:
  [[nodiscard]] std::vector<NamedBox> boxes_of(const Decoded& decoded) const {
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
           .name = labels::name_of(names_, id),
           .score = double{scores.const_data_ptr<float>()[i]},
           .at = {.left = p[0], .top = p[1], .right = p[2], .bottom = p[3]}});
      if (corners == nullptr) continue;
      const auto* const c = corners->const_data_ptr<float>() + 8 * i;
      std::copy(c, c + 8, boxes.back().corners.emplace().begin());
    }
    return boxes;
  }

  static std::string text_of(const Decoded& decoded,
                             const std::vector<NamedBox>& boxes) {
    std::string prefix;
    if (const double* time = find(decoded.item->notes, kTime)) {
      prefix = fixed(*time, 3) + " s  ";
    }
    if (boxes.empty()) {
      const double* best = find(decoded.notes, kBestScore);
      return prefix + "nothing found" +
             (best == nullptr ? "" : "; the best score was " + fixed(*best, 3));
    }
    std::string out;
    for (const NamedBox& box : boxes) {
      out += (out.empty() ? "" : "\n") + prefix + line_of(box);
    }
    return out;
  }

  static std::string json_text(const Decoded& decoded,
                               const std::vector<NamedBox>& boxes) {
    const Notes& notes = decoded.item->notes;
    BoxJson entry = BoxJson::object();
    const double* time = find(notes, kTime);
    if (time != nullptr) {
      entry["time"] = std::round(*time * 1000) / 1000;
      if (const std::int64_t* frame = find(notes, kFrame)) {
        entry["frame"] = *frame;
      }
    }
    entry["boxes"] = json_of(boxes);
    if (const double* best = find(decoded.notes, kBestScore)) {
      entry["best_score"] = *best;
    }
    if (time != nullptr) {
      entry = BoxJson{{"frames", BoxJson::array({std::move(entry)})}};
    }
    return entry.dump(-1, ' ', false, BoxJson::error_handler_t::replace);
  }

  /// Read once, for the first of its views that needs it.
  const at::Tensor& picture() {
    if (!picture_.defined()) picture_ = request_picture(request_);
    return picture_;
  }

  /// How many pixels the picture has for one of the picture that preprocess
  /// had: a JPEG may have been decoded at a part of its size.
  struct Scale {
    double x = 1, y = 1;
  };
  Scale scale_of(const Item& item) {
    const auto share = [&](const Note<std::int64_t>& note, std::int64_t size) {
      const std::int64_t* noted = find(item.notes, note);
      return noted == nullptr
                 ? 1.0
                 : static_cast<double>(size) / static_cast<double>(*noted);
    };
    return {.x = share(kWidth, picture().size(1)),
            .y = share(kHeight, picture().size(0))};
  }

  static Extent scaled(const Extent& box, const Scale& by) {
    return {.left = box.left * by.x,
            .top = box.top * by.y,
            .right = box.right * by.x,
            .bottom = box.bottom * by.y};
  }

  at::Tensor part(const NamedBox& box, const Scale& by) {
    if (!box.corners) {
      return crop_box(picture(), scaled(box.at, by), params_.margin);
    }
    Corners corners = *box.corners;
    for (std::size_t i = 0; i < corners.size(); ++i) {
      corners.at(i) *= static_cast<float>(i % 2 == 0 ? by.x : by.y);
    }
    return crop_corners(picture(), corners);
  }

  void cut(const Item& item, const std::vector<NamedBox>& boxes, int branch,
           OutputSink& out) {
    const Scale scale = scale_of(item);
    for (const NamedBox& box : boxes) {
      out.emit(Tensors{{"image", part(box, scale)}}, branch,
               /*is_final=*/false);
    }
  }

  void draw(const Item& item, const std::vector<NamedBox>& boxes) {
    const Scale scale = scale_of(item);
    std::vector<DrawnBox> drawn;
    for (const NamedBox& box : boxes) {
      const Extent at = scaled(box.at, scale);
      drawn.push_back({.left = at.left,
                       .top = at.top,
                       .right = at.right,
                       .bottom = at.bottom,
                       .text = box.name + " " + fixed(box.score, 2),
                       .kind = box.id});
    }
    write_view(params_.render, request_.id, item.index,
               with_boxes(picture(), drawn));
  }

  const Request& request_;
  const std::vector<std::string>& names_;
  const DrawBoxes::Params& params_;
  at::Tensor picture_;
  ItemLines lines_;
};

}  // namespace

void DrawBoxes::declare(Declaration<DrawBoxes>& d) {
  d.doc("What was found where: text, JSON, drawings, and crops for a next step")
      .input("boxes: f32[M,4]")
      .input("classes: i64[M]")
      .input("scores: f32[M]")
      .uses(kTime, kFrame, kWidth, kHeight, kBestScore)
      .light();
  d.param("labels", &Params::labels,
          "file with the names of the classes, by path or beside the model: "
          "JSON, or one name per line; model: those in its metadata; empty: "
          "show numbers");
  d.param("render", &Params::render,
          "folder for pictures with the boxes drawn; empty: none")
      .draws();
  d.param("crops", &Params::crops,
          "give each box's part of the picture too, as a request for the step "
          "that takes {image: {each: THIS_STEP}}");
  d.param("margin", &Params::margin,
          "share of a box's width and height that a crop has more on each side")
      .range(0, 4);
}

void DrawBoxes::open(StageContext& context) {
  names_ = labels::labels_named(params_.labels, context.model);
  if (!params_.render.empty()) make_drawing_folder(params_.render);
}

std::unique_ptr<Writer> DrawBoxes::begin(const Request& request) const {
  return std::make_unique<BoxWriter>(request, names_, params_);
}

}  // namespace penstock::image
