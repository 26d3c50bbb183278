#include "grammar/ebnf_edit.h"

#include <string_view>

#include "grammar/other_names.h"
#include "penstock/error.h"

namespace penstock::grammar {
namespace {

/// A string of a length, as one automaton: it knows at each place which tokens
/// fit, where rules inside each other would have to try them.
std::string length_rules(const std::string& name, const TextLength& length) {
  constexpr std::string_view kCharacter = R"([^\"\\\\\\x00-\\x1f])";
  const auto regex = [&](std::string_view quote, const std::string& most) {
    return str(R"(Regex(")", quote, kCharacter, '{', length.least, ',', most,
               '}', quote, R"("))");
  };
  if (length.most == 0) return name + R"( ::= "\"\"")" + "\n";
  if (length.most <= kMostPrepared) {
    const std::string most = length.most < 0 ? "" : std::to_string(length.most);
    return str(name, " ::= ", regex(R"(\")", most), "\n");
  }
  return str(name, R"( ::= "\"" )", name, R"(_inner "\"")", "\n", name,
             "_inner[max_chars=", length.most, "] ::= ", regex("", ""), "\n");
}

void replace_all(std::string& text, std::string_view from,
                 std::string_view to) {
  for (std::size_t at = text.find(from); at != text.npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

std::string edit_ebnf(std::string ebnf, const LoweredSchema& schema) {
  const auto literal = [&](const std::string& number) {
    return str(R"("\")", schema.marker, number, R"(\"")");
  };
  for (std::size_t i = 0; i < schema.lengths.size(); ++i) {
    const std::string name = str("text_of_length_", i);
    replace_all(ebnf, literal(std::to_string(i)), name);
    ebnf += length_rules(name, schema.lengths[i]);
  }
  for (std::size_t i = 0; i < schema.names.size(); ++i) {
    const std::string name = str("other_name_", i);
    replace_all(ebnf, literal(str("n", i)), name);
    ebnf += other_name_rules(name, schema.names[i]);
  }
  return ebnf;
}

}  // namespace penstock::grammar
