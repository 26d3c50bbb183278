#include "labels.h"

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "decode.h"
#include "draw.h"
#include "label_file.h"
#include "penstock/media.h"

namespace penstock::image {
namespace {

namespace fs = std::filesystem;

struct Label {
  std::int64_t id;
  std::string name;
  double score;
};

std::string text_of(const std::vector<Label>& labels) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(3);
  for (const Label& label : labels) {
    out << (&label == labels.data() ? "" : "\n") << label.score << "  "
        << label.name;
  }
  return out.str();
}

std::string json_of(const std::vector<Label>& labels) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Label& label : labels) {
    list.push_back(
        {{"id", label.id}, {"label", label.name}, {"score", label.score}});
  }
  return nlohmann::ordered_json{{"labels", list}}.dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

class LabelWriter final : public Writer {
 public:
  LabelWriter(const Request& request, const std::vector<std::string>& names,
              const std::string& render)
      : request_(request), names_(names), render_(render) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    const auto classes = get(decoded.tensors, "classes");
    const auto scores = get(decoded.tensors, "scores");
    std::vector<Label> labels;
    for (std::int64_t i = 0; i < classes.numel(); ++i) {
      const auto id = classes.const_data_ptr<std::int64_t>()[i];
      const auto at = static_cast<std::size_t>(id);
      labels.push_back({.id = id,
                        .name = at < names_.size()
                                    ? names_[at]
                                    : "class " + std::to_string(id),
                        .score = scores.const_data_ptr<float>()[i]});
    }
    if (!render_.empty()) draw(*decoded.sample, labels);
    out.emit(Json{json_of(labels)}, decoded.branch, /*is_final=*/false);
    out.emit(text_of(labels), decoded.branch, /*is_final=*/true);
    return true;
  }
  void end(OutputSink& /*out*/) override {}

 private:
  /// DIR/<request>.png, or <request>.1.png for its second view.
  void draw(const Sample& sample, const std::vector<Label>& labels) const {
    const Media media = media_input(request_, "image");
    const Picture picture = decode(*read_media(media, 1 << 30), {});
    std::vector<std::string> lines;
    for (const Label& label : labels) {
      std::ostringstream line;
      line << std::fixed << std::setprecision(3) << label.score << " "
           << label.name;
      lines.push_back(line.str());
    }
    std::string name = fs::path(request_.id).filename().string();
    if (name.empty() || name == ".." || name == ".") name = "picture";
    if (sample.index > 0) name += "." + std::to_string(sample.index);
    write_png((fs::path(render_) / (name + ".png")).string(),
              with_lines(upright(without_alpha(picture.pixels, "drop"),
                                 picture.orientation),
                         lines));
  }

  const Request& request_;
  const std::vector<std::string>& names_;
  const std::string& render_;
};

}  // namespace

void Labels::declare(Declaration<Labels>& d) {
  d.doc("Class numbers to names: text, JSON, drawn onto the picture")
      .input("classes: i64[N]")
      .input("scores: f32[N]");
  d.param("labels", &Params::labels,
          "file of the names, by itself or beside the model: JSON, or a name "
          "a line; empty: numbers");
  d.param("render", &Params::render,
          "folder for pictures with their labels; empty: none");
}

void Labels::open(StageContext& context) {
  if (!params_.labels.empty()) {
    const fs::path beside =
        fs::path(context.model).parent_path() / params_.labels;
    names_ = read_labels(fs::exists(params_.labels) ? fs::path(params_.labels)
                                                    : beside);
  }
  if (!params_.render.empty()) {
    std::error_code error;
    fs::create_directories(params_.render, error);
    if (error) {
      throw Error(Code::kRetry, str("cannot make the folder '", params_.render,
                                    "': ", error.message()));
    }
  }
}

std::unique_ptr<Writer> Labels::begin(const Request& request) const {
  return std::make_unique<LabelWriter>(request, names_, params_.render);
}

}  // namespace penstock::image
