#include "speech/english/word_tables.h"

#include "penstock/error.h"

namespace penstock::speech {
namespace {

WordTables::Pairs pairs_of(const JsonView& view) {
  WordTables::Pairs out;
  for (const auto& [key, value] : view.members()) {
    out.emplace_back(key, value.text());
  }
  return out;
}

WordTables::Forms forms_of(const JsonView& view) {
  WordTables::Forms out;
  for (const auto& [key, value] : view.members()) {
    const auto forms = value.items();
    if (forms.size() != 2) value.fail("has not two forms, one and several");
    out[key] = {forms[0].text(), forms[1].text()};
  }
  return out;
}

std::vector<std::string> words_of(const JsonView& view) {
  std::vector<std::string> out;
  for (const JsonView& each : view.items()) out.push_back(each.text());
  return out;
}

}  // namespace

WordTables read_word_tables(const JsonView& view) {
  WordTables out{.months = pairs_of(view.at("months")),
                 .titles = pairs_of(view.at("titles")),
                 .abbreviations = pairs_of(view.at("abbreviations")),
                 .symbols = pairs_of(view.at("symbols")),
                 .units = forms_of(view.at("units")),
                 .currencies = forms_of(view.at("currency")),
                 .roman_cardinal = words_of(view.at("roman_cardinal")),
                 .roman_ordinal = words_of(view.at("roman_ordinal"))};
  if (out.months.size() != 12) view.at("months").fail("are not twelve");
  for (const char* const sign :
       {"$", "£", "€", "¢", "¥", "₹", "₩", "Rs", "USD", "EUR", "GBP"}) {
    (void)view.at("currency").at(sign);
  }
  return out;
}

}  // namespace penstock::speech
