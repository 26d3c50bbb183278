// Where a text may be cut, so that a sentence is heard while the next is
// computed.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace penstock::speech {

/// Cuts texts into sentences: at line ends and behind . ! ? and …, but not
/// behind a title or an initial ("Dr. Smith", "J. K. Rowling") or before a
/// small letter. Any thread.
class Sentences {
 public:
  /// Titles without their period: "Dr".
  explicit Sentences(std::set<std::u32string> titles)
      : titles_(std::move(titles)) {}

  /// Calls take() with each sentence of well-formed UTF-8, in order; blank
  /// ones are left out. One longer than kMost characters is cut behind a
  /// clause, else a word, else anywhere.
  void each(std::string_view text,
            const std::function<void(const std::u32string&)>& take) const;

  static constexpr std::size_t kMost = 1000;

 private:
  [[nodiscard]] bool ends(const std::u32string& line, std::size_t end,
                          char32_t next) const;
  void each_of_line(const std::u32string& line,
                    const std::function<void(std::u32string_view)>& take) const;

  std::set<std::u32string> titles_;
};

}  // namespace penstock::speech
