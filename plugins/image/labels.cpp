#include "image/labels.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "image/contact_sheet.h"
#include "image/draw.h"
#include "image/request_picture.h"
#include "image/thumbnail.h"
#include "penstock/drawing.h"
#include "penstock/keys.h"

namespace penstock::image {
namespace {

namespace fs = std::filesystem;

struct Label {
  std::int64_t id = 0;
  std::string name;
  double score = 0;
};

using Json = nlohmann::ordered_json;

std::string fixed(double value) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(3) << value;
  return out.str();
}

/// 0.409  tiger cat
std::string line_of(const Label& label, const char* between) {
  return fixed(label.score) + (label.name.empty() ? "" : between) + label.name;
}

std::string text_of(const std::vector<Label>& labels) {
  std::string out;
  for (const Label& label : labels) {
    out += (out.empty() ? "" : "\n") + line_of(label, "  ");
  }
  return out;
}

Json json_of(const std::vector<Label>& labels) {
  Json list = Json::array();
  for (const Label& label : labels) {
    Json& entry = list.emplace_back(Json{{"id", label.id}});
    if (!label.name.empty()) entry["label"] = label.name;
    entry["score"] = label.score;
  }
  return list;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// "   0.500 s"
std::string clock_text(double seconds) {
  std::ostringstream out;
  out << std::setw(8) << fixed(seconds) << " s";
  return out.str();
}

class LabelWriter final : public Writer {
 public:
  LabelWriter(const Request& request, const labels::ClassNames& names,
              const std::string& render)
      : request_(request),
        names_(names),
        render_(render),
        sheets_((fs::path(render) / file_name()).string()) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    const Item& item = *decoded.item;
    const std::vector<Label> labels = labels_of(decoded);
    if (const double* time = find(item.notes, kTime)) {
      write_frame(decoded, *time, labels, out);
      return true;
    }
    if (!render_.empty()) draw(item, labels);
    out.emit(penstock::Json{dump({{"labels", json_of(labels)}})},
             decoded.branch, /*is_final=*/false);
    out.emit(text_of(labels), decoded.branch, /*is_final=*/true);
    return true;
  }

  void end(OutputSink& /*out*/) override { sheets_.finish(); }

 private:
  [[nodiscard]] std::vector<Label> labels_of(const Decoded& decoded) const {
    const auto classes = get(decoded.tensors, "classes");
    const auto scores = get(decoded.tensors, "scores");
    std::vector<Label> labels;
    for (std::int64_t i = 0; i < classes.numel(); ++i) {
      const auto id = classes.const_data_ptr<std::int64_t>()[i];
      labels.push_back({.id = id,
                        .name = names_.of(id),
                        .score = scores.const_data_ptr<float>()[i]});
    }
    return labels;
  }

  /// A line a frame; the frames' JSON goes on from piece to piece.
  void write_frame(const Decoded& decoded, double time,
                   const std::vector<Label>& labels, OutputSink& out) {
    const Item& item = *decoded.item;
    const Label best = labels.empty() ? Label{} : labels.front();
    Json frame = {{"time", std::round(time * 1000) / 1000}};
    if (const std::int64_t* number = find(item.notes, kFrame)) {
      frame["frame"] = *number;
    }
    frame["labels"] = json_of(labels);
    if (!render_.empty()) {
      sheets_.add(shown_frame(item), {fixed(time) + " s", line_of(best, " ")});
    }
    out.emit(penstock::Json{dump({{"frames", Json::array({frame})}})},
             decoded.branch, /*is_final=*/false);
    out.emit(
        (is_first_ ? "" : "\n") + clock_text(time) + "  " + line_of(best, "  "),
        decoded.branch, /*is_final=*/true);
    is_first_ = false;
  }

  [[nodiscard]] std::string file_name() const {
    std::string name = fs::path(request_.id).filename().string();
    return name.empty() || name == ".." || name == "." ? "picture" : name;
  }

  /// DIR/<request>.png, or <request>.1.png for its second view.
  void draw(const Item& item, const std::vector<Label>& labels) const {
    std::vector<std::string> lines;
    lines.reserve(labels.size());
    for (const Label& label : labels) lines.push_back(line_of(label, " "));
    std::string name = file_name();
    if (item.index > 0) name += "." + std::to_string(item.index);
    write_png((fs::path(render_) / (name + ".png")).string(),
              with_lines(request_picture(request_), lines));
  }

  const Request& request_;
  const labels::ClassNames& names_;
  const std::string& render_;
  ContactSheets sheets_;
  bool is_first_ = true;  ///< frame of the film
};

}  // namespace

void Labels::declare(Declaration<Labels>& d) {
  d.doc("Class numbers to names: text, JSON, drawings; of films with the time")
      .input("classes: i64[N]")
      .input("scores: f32[N]")
      .uses(kTime, kFrame, kWidth, kHeight)
      .light();
  d.param("labels", &Params::labels,
          "file with the names of the classes, by path or beside the model: "
          "JSON, or one name per line; model: those in its metadata; none: "
          "classes need no name; empty: show numbers");
  d.param("render", &Params::render,
          "folder for pictures with their labels drawn, for films contact "
          "sheets; empty: none")
      .draws();
}

void Labels::open(StageContext& context) {
  names_ = {params_.labels, context.model};
  if (!params_.render.empty()) make_drawing_folder(params_.render);
}

std::unique_ptr<Writer> Labels::begin(const Request& request) const {
  return std::make_unique<LabelWriter>(request, names_, params_.render);
}

}  // namespace penstock::image
