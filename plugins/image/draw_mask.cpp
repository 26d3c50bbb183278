#include "image/draw_mask.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "image/draw.h"
#include "image/request_picture.h"
#include "image/resize.h"
#include "lib/pictures/rle.h"
#include "penstock/drawing.h"
#include "penstock/keys.h"
#include "penstock/tensor_names.h"

namespace penstock::image {
namespace {

using MaskJson = nlohmann::ordered_json;

struct Region {
  std::int64_t id = 0, area = 0;
  std::string name;
};

class MaskWriter final : public Writer {
 public:
  MaskWriter(const Request& request, const labels::ClassNames& names,
             const DrawMask::Params& params)
      : request_(request), names_(names), params_(params) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    const at::Tensor mask = get(decoded.tensors, tensors::kMask).contiguous();
    const std::vector<Region> regions = regions_of(mask);
    out.emit(penstock::Json{json_text(decoded, mask, regions)}, decoded.branch,
             /*is_final=*/false);
    if (!params_.render.empty()) draw(*decoded.item, mask);
    const double* best = find(decoded.notes, kBestScore);
    lines_.begin(decoded, out);
    out.emit(text_of(mask, regions, best == nullptr ? 0 : *best),
             decoded.branch, /*is_final=*/true);
    return true;
  }
  void end(OutputSink& /*out*/) override {}

 private:
  /// Those that are there, the largest first.
  [[nodiscard]] std::vector<Region> regions_of(const at::Tensor& mask) const {
    std::array<std::int64_t, 256> areas{};
    const auto* const kind = mask.const_data_ptr<std::uint8_t>();
    for (std::int64_t i = 0; i < mask.numel(); ++i) ++areas.at(kind[i]);
    std::vector<Region> regions;
    for (std::size_t id = 0; id < areas.size(); ++id) {
      const auto number = static_cast<std::int64_t>(id);
      if (areas.at(id) == 0 || number == params_.background) continue;
      regions.push_back(
          {.id = number, .area = areas.at(id), .name = names_.of(number)});
    }
    std::stable_sort(
        regions.begin(), regions.end(),
        [](const Region& a, const Region& b) { return a.area > b.area; });
    return regions;
  }

  /// 12.5%  cat
  static std::string text_of(const at::Tensor& mask,
                             const std::vector<Region>& regions, double best) {
    std::ostringstream out;
    out << std::fixed;
    if (regions.empty()) {
      out << "nothing found";
      if (best > 0)
        out << "; the best score was " << std::setprecision(3) << best;
    }
    for (const Region& region : regions) {
      if (&region != &regions.front()) out << "\n";
      out << std::setprecision(1)
          << 100.0 * static_cast<double>(region.area) /
                 static_cast<double>(mask.numel())
          << "%" << (region.name.empty() ? "" : "  ") << region.name;
    }
    return out.str();
  }

  static std::string json_text(const Decoded& decoded, const at::Tensor& mask,
                               const std::vector<Region>& regions) {
    const std::span values(mask.const_data_ptr<std::uint8_t>(),
                           static_cast<std::size_t>(mask.numel()));
    MaskJson list = MaskJson::array();
    for (const Region& region : regions) {
      const auto runs =
          pictures::run_lengths(values, mask.size(0), mask.size(1),
                                static_cast<std::uint8_t>(region.id));
      MaskJson& entry = list.emplace_back();
      entry["id"] = region.id;
      if (!region.name.empty()) entry["label"] = region.name;
      entry["area"] = region.area;
      entry["rle"]["size"] = MaskJson::array({mask.size(0), mask.size(1)});
      entry["rle"]["counts"] = pictures::coco_counts(runs);
    }
    MaskJson whole = MaskJson::object();
    whole["masks"] = std::move(list);
    if (const double* best = find(decoded.notes, kBestScore)) {
      whole["best_score"] = *best;
    }
    return whole.dump(-1, ' ', false, MaskJson::error_handler_t::replace);
  }

  void draw(const Item& item, const at::Tensor& mask) const {
    const at::Tensor picture =
        resize(request_picture(request_), mask.size(0), mask.size(1),
               Filter::kBilinear, "torch_aa");
    write_view(params_.render, request_.id, item.index,
               with_mask(picture, mask, params_.background));
  }

  const Request& request_;
  const labels::ClassNames& names_;
  const DrawMask::Params& params_;
  ItemLines lines_;
};

}  // namespace

void DrawMask::declare(Declaration<DrawMask>& d) {
  d.doc("What the pixels of a picture are: text, COCO's run lengths, drawings")
      .input("mask: u8[H,W]")
      .uses(kBestScore)
      .light();
  d.param("labels", &Params::labels,
          "file with the names of the classes, by path or beside the model: "
          "JSON, or one name per line; model: those in its metadata; none: "
          "classes need no name; empty: show numbers");
  d.param("background", &Params::background,
          "class that is left out; -1: none is")
      .range(-1, 255);
  d.param("render", &Params::render,
          "folder for pictures with the classes laid over; empty: none")
      .draws();
}

void DrawMask::open(StageContext& context) {
  names_ = {params_.labels, context.model};
  if (!params_.render.empty()) make_drawing_folder(params_.render);
}

std::unique_ptr<Writer> DrawMask::begin(const Request& request) const {
  return std::make_unique<MaskWriter>(request, names_, params_);
}

}  // namespace penstock::image
