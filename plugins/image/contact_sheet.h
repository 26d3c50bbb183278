// Contact sheets: many small pictures on one, each with words below it.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace penstock::image {

/// Written sheet by sheet as they fill, so that any number of pictures takes
/// little memory.
class ContactSheets {
 public:
  /// Writes PATH.png, PATH.2.png, ...
  explicit ContactSheets(std::string path) : path_(std::move(path)) {}

  /// A picture u8[H,W,3] and the lines below it. All are as large as the first
  /// of their sheet, else they are cut. Throws Error(kRetry) where a sheet
  /// cannot be written.
  void add(const at::Tensor& picture, const std::vector<std::string>& lines);
  /// Writes what is not yet written; needed once, after the last picture.
  void finish();

 private:
  struct Cell {
    at::Tensor picture;
    std::vector<std::string> lines;
  };

  std::string path_;
  int sheets_ = 0;
  std::vector<Cell> cells_;
};

}  // namespace penstock::image
