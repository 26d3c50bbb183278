#include "heads/xml.h"

#include <algorithm>
#include <array>

#include "penstock/error.h"

namespace penstock::heads {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kMostAttributes = 256;  ///< of a tag
constexpr std::array<std::pair<std::string_view, char>, 7> kEntities{
    {{"&lt;", '<'},
     {"&gt;", '>'},
     {"&amp;", '&'},
     {"&quot;", '"'},
     {"&apos;", '\''},
     {"&#10;", '\n'},
     {"&#xA;", '\n'}}};

}  // namespace

std::string Tag::get(std::string_view key) const {
  for (const auto& [word, written] : attributes) {
    if (word == key) return written;
  }
  return {};
}

void XmlReader::skip_past(std::string_view end, const char* what) {
  const auto at = rest_.find(end);
  if (at == rest_.npos) source_.fail(str(what, " has no end"), rest_.data());
  rest_.remove_prefix(at + end.size());
}

void XmlReader::skip_blanks() {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
}

std::string_view XmlReader::word() {
  const auto end =
      std::min(rest_.find_first_of(" \t\r\n=/<>\"'"), rest_.size());
  if (end == 0) source_.fail("a name was expected", rest_.data());
  const std::string_view taken = rest_.substr(0, end);
  rest_.remove_prefix(end);
  return taken;
}

std::string XmlReader::decoded(std::string_view text) const {
  std::string out;
  while (!text.empty()) {
    const auto at = std::min(text.find('&'), text.size());
    out += text.substr(0, at);
    text.remove_prefix(at);
    if (text.empty()) break;
    const auto known = std::find_if(
        kEntities.begin(), kEntities.end(),
        [&](const auto& each) { return text.starts_with(each.first); });
    if (known == kEntities.end()) {
      out += '&';
      text.remove_prefix(1);
    } else {
      out += known->second;
      text.remove_prefix(known->first.size());
    }
  }
  return out;
}

std::string XmlReader::value() {
  skip_blanks();
  if (!rest_.starts_with('=')) source_.fail("'=' was expected", rest_.data());
  rest_.remove_prefix(1);
  skip_blanks();
  const char quote = rest_.empty() ? ' ' : rest_.front();
  if (quote != '"' && quote != '\'') {
    source_.fail("a value in quotes was expected", rest_.data());
  }
  rest_.remove_prefix(1);
  const auto end = rest_.find(quote);
  if (end == rest_.npos) source_.fail("a value has no end", rest_.data());
  std::string out = decoded(rest_.substr(0, end));
  rest_.remove_prefix(end + 1);
  return out;
}

bool XmlReader::next(Tag& tag) {
  for (;;) {
    const auto begin = rest_.find('<');
    if (begin == rest_.npos) return false;
    rest_.remove_prefix(begin);
    if (rest_.starts_with("<!--")) {
      skip_past("-->", "a comment");
    } else if (rest_.starts_with("<?")) {
      skip_past("?>", "a line that begins with <?");
    } else if (rest_.starts_with("<!")) {
      source_.fail("it has a document type", rest_.data());
    } else {
      break;
    }
  }
  tag = {};
  rest_.remove_prefix(1);
  tag.is_closing = rest_.starts_with('/');
  if (tag.is_closing) rest_.remove_prefix(1);
  tag.name = word();
  for (skip_blanks(); !rest_.starts_with('>'); skip_blanks()) {
    if (rest_.starts_with("/>")) {
      tag.is_empty = true;
      rest_.remove_prefix(1);
      continue;
    }
    const std::string_view key = word();
    tag.attributes.emplace_back(key, value());
    if (tag.attributes.size() > kMostAttributes) {
      source_.fail("a tag has too many attributes", rest_.data());
    }
  }
  rest_.remove_prefix(1);
  tag.text = rest_.substr(0, std::min(rest_.find('<'), rest_.size()));
  return true;
}

}  // namespace penstock::heads
