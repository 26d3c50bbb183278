#include "image/draw_boxes.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "image/contact_sheet.h"
#include "image/crop.h"
#include "image/draw.h"
#include "image/named_box.h"
#include "image/request_picture.h"
#include "image/thumbnail.h"
#include "lib/pictures/tracker.h"
#include "penstock/drawing.h"
#include "penstock/keys.h"
#include "penstock/tensor_names.h"

namespace penstock::image {
namespace {

using BoxJson = nlohmann::ordered_json;

class BoxWriter final : public Writer {
 public:
  BoxWriter(const Request& request, const labels::ClassNames& names,
            const DrawBoxes::Params& params)
      : request_(request),
        names_(names),
        params_(params),
        tracker_({.overlap = params.track_overlap, .gap = params.track_gap}),
        sheets_(drawing_path(params.render, request.id, "").string()) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    const std::vector<NamedBox> boxes = boxes_of(decoded);
    out.emit(penstock::Json{json_text(decoded, boxes)}, decoded.branch,
             /*is_final=*/false);
    if (params_.crops) cut(*decoded.item, boxes, decoded.branch, out);
    if (!params_.render.empty()) show(*decoded.item, boxes);
    lines_.begin(decoded, out);
    out.emit(text_of(decoded, boxes), decoded.branch, /*is_final=*/true);
    return true;
  }
  void end(OutputSink& /*out*/) override { sheets_.finish(); }

 private:
  /// What was found, with numbers where it is tracked.
  std::vector<NamedBox> boxes_of(const Decoded& decoded) {
    std::vector<NamedBox> boxes = named_boxes(decoded, names_);
    if (params_.track == "none") return boxes;
    std::vector<pictures::Thing> seen;
    for (const NamedBox& box : boxes) {
      seen.push_back({.box = {.left = static_cast<float>(box.at.left),
                              .top = static_cast<float>(box.at.top),
                              .right = static_cast<float>(box.at.right),
                              .bottom = static_cast<float>(box.at.bottom)},
                      .kind = box.id});
    }
    const auto numbers = tracker_.next(seen);
    for (std::size_t i = 0; i < boxes.size(); ++i) boxes[i].track = numbers[i];
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

  static std::vector<DrawnBox> drawn(const std::vector<NamedBox>& boxes,
                                     const Scale& scale) {
    std::vector<DrawnBox> out;
    for (const NamedBox& box : boxes) {
      const Extent at = scaled(box.at, scale);
      const std::string number =
          box.track > 0 ? "#" + std::to_string(box.track) + " " : "";
      const std::string name = box.name.empty() ? "" : box.name + " ";
      out.push_back({.left = at.left,
                     .top = at.top,
                     .right = at.right,
                     .bottom = at.bottom,
                     .text = name + number + fixed(box.score, 2),
                     .kind = box.track > 0 ? box.track : box.id});
    }
    return out;
  }

  /// A picture of its own; of a frame a cell of a contact sheet.
  void show(const Item& item, const std::vector<NamedBox>& boxes) {
    const double* time = find(item.notes, kTime);
    if (time == nullptr) {
      write_view(params_.render, request_.id, item.index,
                 with_boxes(picture(), drawn(boxes, scale_of(item))));
      return;
    }
    const at::Tensor frame = shown_frame(item);
    const Scale scale{.x = static_cast<double>(frame.size(1)) /
                           static_cast<double>(get(item.notes, kWidth)),
                      .y = static_cast<double>(frame.size(0)) /
                           static_cast<double>(get(item.notes, kHeight))};
    std::vector<std::string> lines{fixed(*time, 3) + " s"};
    const auto outlines = drawn(boxes, scale);
    for (const DrawnBox& box : outlines) lines.push_back(box.text);
    sheets_.add(with_outlines(frame, outlines), lines);
  }

  const Request& request_;
  const labels::ClassNames& names_;
  const DrawBoxes::Params& params_;
  at::Tensor picture_;
  ItemLines lines_;
  pictures::Tracker tracker_;
  ContactSheets sheets_;
};

}  // namespace

void DrawBoxes::declare(Declaration<DrawBoxes>& d) {
  d.doc("What was found where: text, JSON, drawings, and crops for a next step")
      .input("boxes: f32[M,4]")
      .input("classes: i64[M]")
      .input("scores: f32[M]")
      .uses(kTime, kFrame, kWidth, kHeight, kBestScore)
      .light();
  d.param(
      "labels", &Params::labels,
      "file with the names of the classes, by path or beside the model: "
      "JSON, or one name per line; model: those in its metadata; none: what is "
      "found needs no name; empty: show numbers");
  d.param("render", &Params::render,
          "folder for pictures with the boxes drawn; empty: none")
      .draws();
  d.param("crops", &Params::crops,
          "give each box's part of the picture too, as a request for the step "
          "that takes {image: {each: THIS_STEP}}");
  d.param("track", &Params::track,
          "iou: a thing keeps its number from picture to picture of a film, by "
          "the box that covers its last one most")
      .choices({"none", "iou"});
  d.param("track_overlap", &Params::track_overlap,
          "share of two boxes' whole area that they have in common at least "
          "where they are one thing")
      .range(0, 1);
  d.param("track_gap", &Params::track_gap,
          "pictures in a row in which it may be unseen and keep its number")
      .range(0, 10'000);
  d.param("margin", &Params::margin,
          "share of a box's width and height that a crop has more on each side")
      .range(0, 4);
}

void DrawBoxes::open(StageContext& context) {
  names_ = {params_.labels, context.model};
  if (!params_.render.empty()) make_drawing_folder(params_.render);
}

std::unique_ptr<Writer> DrawBoxes::begin(const Request& request) const {
  return std::make_unique<BoxWriter>(request, names_, params_);
}

}  // namespace penstock::image
