// The files of the page, as the build put them into the program.
#pragma once

#include <span>
#include <string_view>

namespace penstock::serve {

struct PageFile {
  std::string_view name;  ///< "index.html"
  std::string_view bytes;
};

[[nodiscard]] std::span<const PageFile> page_files();

}  // namespace penstock::serve
