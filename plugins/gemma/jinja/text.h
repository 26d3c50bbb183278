// Text that remembers, byte for byte, whether the template wrote it or whether
// it came from a message: what a user typed must never become a control word.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::gemma::jinja {

class Text {
 public:
  Text() = default;
  explicit Text(std::string bytes, bool is_content = false)
      : bytes_(std::move(bytes)),
        origin_(bytes_.size(), is_content ? kContent : kTemplate) {}

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool is_content(std::size_t at) const {
    return origin_[at] == kContent;
  }

  /// Throws Error(kData) for a text that becomes too large, whatever makes it:
  /// filters such as join can ask for any size in one step.
  Text& operator+=(const Text& more);
  [[nodiscard]] Text part(std::size_t from,
                          std::size_t count = std::string::npos) const {
    Text out;
    out.bytes_ = bytes_.substr(from, count);
    out.origin_ = origin_.substr(from, count);
    return out;
  }
  /// Where its characters begin, and its size at the end.
  [[nodiscard]] std::vector<std::size_t> characters() const;
  /// Without white space, as Python's strip() sees it, or without any of
  /// `characters`, at the ends that are named.
  [[nodiscard]] Text stripped(bool left, bool right,
                              std::string_view characters = {}) const;
  [[nodiscard]] Text replaced(const Text& from, const Text& to,
                              std::size_t most = std::string::npos) const;
  /// At `separator`; at runs of white space where it is empty.
  [[nodiscard]] std::vector<Text> split(std::string_view separator,
                                        std::size_t most,
                                        bool from_right = false) const;

 private:
  [[nodiscard]] Text spread(const Text& between, std::size_t most) const;
  [[nodiscard]] std::vector<Text> words(std::size_t most,
                                        bool from_right) const;

  static constexpr char kTemplate = 't', kContent = 'c';
  std::string bytes_;
  std::string origin_;  ///< a mark for each byte
};

}  // namespace penstock::gemma::jinja
