// A text that may be a JSON document, for core.map.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::core {

/// Values are given as texts: a string without its quotes, anything else as
/// JSON. A path is names and places in lists with dots between, as "a.b.0";
/// empty: the whole.
class JsonText {
 public:
  /// Reads it when it is first asked. The text must outlive this.
  explicit JsonText(const std::string& text);
  ~JsonText();
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  /// Of an object; nothing where the text is none or lacks it.
  [[nodiscard]] std::optional<std::string> find(const std::string& path) const;
  /// Throws Error(kData) naming how far the path goes, or where the text is no
  /// JSON.
  [[nodiscard]] std::string at(const std::string& path) const;
  /// The elements of the list there.
  [[nodiscard]] std::vector<std::string> list(const std::string& path,
                                              std::int64_t most) const;
  /// " (which has a, b)" of an object, else "".
  [[nodiscard]] std::string keys() const;

 private:
  struct Document;
  [[nodiscard]] const Document& document() const;

  const std::string& text_;
  mutable std::unique_ptr<const Document> document_;
};

}  // namespace penstock::core
