#include "image/contact_sheet.h"

#include <ATen/ops/full.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "image/draw.h"

namespace penstock::image {
namespace {

constexpr std::size_t kColumns = 6;
constexpr std::size_t kMostCells = 60;
constexpr std::int64_t kGap = 8;        // pixels around each cell
constexpr std::int64_t kCellLine = 16;  // from one line of text to the next
constexpr int kBaseline = 12;
constexpr double kCellFontScale = 0.4;
constexpr int kPaper = 24;  // dark grey

/// What fits into `width` pixels, with dots where something is left out.
std::string shortened(const std::string& text, int width) {
  const auto fits = [&](const std::string& shown) {
    int baseline = 0;
    return cv::getTextSize(shown, cv::FONT_HERSHEY_SIMPLEX, kCellFontScale, 1,
                           &baseline)
               .width <= width;
  };
  if (fits(text)) return text;
  std::string head = text;
  while (!head.empty() && !fits(head + "..")) head.pop_back();
  return head + "..";
}

void write_lines(at::Tensor& sheet, const std::vector<std::string>& lines,
                 std::int64_t x, std::int64_t y, std::int64_t width) {
  cv::Mat paper(static_cast<int>(sheet.size(0)),
                static_cast<int>(sheet.size(1)), CV_8UC3, sheet.data_ptr());
  for (const std::string& line : lines) {
    cv::putText(paper, shortened(printable(line), static_cast<int>(width)),
                {static_cast<int>(x), static_cast<int>(y) + kBaseline},
                cv::FONT_HERSHEY_SIMPLEX, kCellFontScale, {235, 235, 235}, 1,
                cv::LINE_AA);
    y += kCellLine;
  }
}

}  // namespace

void ContactSheets::add(const at::Tensor& picture,
                        const std::vector<std::string>& lines) {
  cells_.push_back({.picture = picture, .lines = lines});
  if (cells_.size() == kMostCells) finish();
}

void ContactSheets::finish() {
  if (cells_.empty()) return;
  const std::int64_t height = cells_.front().picture.size(0);
  const std::int64_t width = cells_.front().picture.size(1);
  std::size_t most_lines = 0;
  for (const Cell& cell : cells_) {
    most_lines = std::max(most_lines, cell.lines.size());
  }
  const std::int64_t down =
      height + kGap + static_cast<std::int64_t>(most_lines) * kCellLine;
  const std::int64_t across = width + kGap;
  const auto columns =
      static_cast<std::int64_t>(std::min(cells_.size(), kColumns));
  const auto rows =
      static_cast<std::int64_t>((cells_.size() + kColumns - 1) / kColumns);
  auto sheet = at::full({kGap + rows * down, kGap + columns * across, 3},
                        kPaper, at::kByte);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const at::Tensor& picture = cells_[i].picture;
    const std::int64_t y =
        kGap + static_cast<std::int64_t>(i / kColumns) * down;
    const std::int64_t x =
        kGap + static_cast<std::int64_t>(i % kColumns) * across;
    const std::int64_t shown_height = std::min(height, picture.size(0));
    const std::int64_t shown_width = std::min(width, picture.size(1));
    sheet.narrow(0, y, shown_height)
        .narrow(1, x, shown_width)
        .copy_(picture.narrow(0, 0, shown_height).narrow(1, 0, shown_width));
    write_lines(sheet, cells_[i].lines, x, y + height + 2, width);
  }
  ++sheets_;
  write_png(path_ + (sheets_ > 1 ? "." + std::to_string(sheets_) : "") + ".png",
            sheet);
  cells_.clear();
}

}  // namespace penstock::image
