// Walks over the tags of an XML file, as far as OpenVINO's need it: no text
// between tags, no document types, no entities but the five of XML itself.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heads/wire.h"

namespace penstock::heads {

struct Tag {
  std::string_view name;
  bool is_closing = false;  ///< </name>
  bool is_empty = false;    ///< <name/>
  std::vector<std::pair<std::string_view, std::string>> attributes;
  std::string_view text;  ///< that follows an opening tag

  /// The attribute's value; "" where it is not there.
  [[nodiscard]] std::string get(std::string_view key) const;
};

class XmlReader {
 public:
  explicit XmlReader(const Source& source)
      : source_(source), rest_(source.bytes) {}
  /// Goes to the next tag; false: there is none.
  bool next(Tag& tag);

 private:
  void skip_past(std::string_view end, const char* what);
  void skip_blanks();
  std::string_view word();
  std::string value();
  std::string decoded(std::string_view text) const;

  const Source& source_;
  std::string_view rest_;
};

}  // namespace penstock::heads
