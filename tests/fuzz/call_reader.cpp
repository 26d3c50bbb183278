// What a model writes, with calls of tools in it or without. The first byte
// says in which syntax, and into how large pieces it is cut.
#include "lib/tools/call_reader.h"

#include <cstdlib>

#include "penstock/json.h"
#include "tests/fuzz/fuzz.h"

namespace penstock::tools {
namespace {

void read_into(CallReader::Found& all, CallReader::Found more) {
  all.text += more.text;
  for (ToolCall& call : more.calls) all.calls.push_back(std::move(call));
}

CallReader::Found read_in_pieces(std::string_view text,
                                 const std::string& syntax, std::size_t size) {
  CallReader reader(syntax_named(syntax));
  CallReader::Found all;
  for (std::size_t at = 0; at < text.size(); at += size) {
    read_into(all, reader.add(std::string(text.substr(at, size))));
  }
  read_into(all, reader.finish());
  return all;
}

void read_both_ways(std::string_view bytes) {
  const auto choice = static_cast<unsigned char>(bytes[0]);
  const auto& names = syntax_names();
  const std::string& syntax = names[choice % names.size()];
  bytes.remove_prefix(1);
  const auto whole = read_in_pieces(bytes, syntax, bytes.size() + 1);
  const auto cut = read_in_pieces(bytes, syntax, 1 + choice / 16U);
  const bool is_same =
      whole.text == cut.text && whole.calls.size() == cut.calls.size();
  if (!is_same) std::abort();
  for (std::size_t i = 0; i < whole.calls.size(); ++i) {
    const ToolCall& call = whole.calls[i];
    if (call.arguments != cut.calls[i].arguments) std::abort();
    (void)parse_json(call.arguments, "arguments");
  }
}

}  // namespace
}  // namespace penstock::tools

void penstock::fuzz::take(std::string_view bytes) {
  if (!bytes.empty()) tools::read_both_ways(bytes);
}
