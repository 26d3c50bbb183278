// Files that pipeline-new writes: ones that are checked and thrown away, and
// those that stay.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace penstock::fresh {

/// What a subcommand says when it is done.
struct Told {
  std::string text;
  std::vector<std::string> warnings;
};

/// A pipeline file with the text, as long as it is looked at.
class Draft {
 public:
  explicit Draft(const std::string& text);
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft();
  [[nodiscard]] std::filesystem::path path() const {
    return folder_ / "draft.yaml";
  }

 private:
  std::filesystem::path folder_;
};

/// Throws Error(kUsage) where something of that name is there.
void check_is_free(const std::filesystem::path& path);
/// Throws Error(kRetry) where it cannot be written.
void write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace penstock::fresh
