#include "text/csv.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "penstock/keys.h"
#include "penstock/media.h"
#include "text/csv_reader.h"
#include "text/notes.h"

namespace penstock::text {
namespace {

char separator_of(const std::string& text) {
  return text == "tab" ? '\t' : text.front();
}

std::string csv_conflict(const Csv::Params& params) {
  const std::string& text = params.separator;
  const bool is_one = text.size() == 1 && text != "\"" && text != "\n";
  if (is_one || text == "tab") return "";
  return str("separator is '", text,
             "'; expected one character that is no quote, or tab");
}

/// "1", "2", ... where the file does not name its columns.
std::vector<std::string> numbered(std::size_t count) {
  std::vector<std::string> out;
  out.reserve(count);
  for (std::size_t i = 1; i <= count; ++i) out.push_back(std::to_string(i));
  return out;
}

void check_names(const std::vector<std::string>& names,
                 const std::string& column, const CsvReader& reader) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) {
      reader.fail(str("two columns are named '", name, "'"));
    }
  }
  if (column.empty() || seen.count(column) > 0) return;
  std::string there;
  for (const std::string& name : names) {
    if (there.size() > 200) break;
    there += (there.empty() ? "" : ", ") + name;
  }
  reader.fail(str("there is no column '", column, "'",
                  suggestion(column, names), "; the columns are ", there));
}

}  // namespace

void Csv::declare(Declaration<Csv>& d) {
  d.doc("A table in a file (CSV, TSV), an item for each row")
      .input("file: media{csv,tsv,tab}")
      .makes(kText, kPath, kLine)
      .light();
  d.param(
      "column", &Params::column,
      "the column whose cells are the texts; empty: the whole row as a JSON "
      "object");
  d.param("separator", &Params::separator,
          "between two cells: one character, or tab");
  d.param("header", &Params::header,
          "the first row names the columns; else they are 1, 2, ...");
  d.param("max_bytes", &Params::max_bytes,
          "longest row in bytes; a longer one is an error")
      .range(1, 1 << 30);
  d.check(csv_conflict);
}

std::string Csv::text_of_row(const std::vector<std::string>& names,
                             const std::vector<std::string>& row) const {
  if (!params_.column.empty()) {
    const auto at = std::find(names.begin(), names.end(), params_.column);
    return row[static_cast<std::size_t>(at - names.begin())];
  }
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < row.size(); ++i) object[names[i]] = row[i];
  return object.dump();
}

void Csv::preprocess(const Request& request, Item in, ItemSink& out) const {
  const Media media = media_input(request, "file");
  set(in.notes, kPath, media.name);
  CsvReader reader(media, separator_of(params_.separator),
                   {.row_bytes = params_.max_bytes});
  std::vector<std::string> names;
  while (auto row = reader.next()) {
    if (names.empty()) {
      names = params_.header ? *row : numbered(row->size());
      check_names(names, params_.column, reader);
      if (params_.header) continue;
    }
    if (row->size() != names.size()) {
      reader.fail(str("the row has ", row->size(), " cells, the first has ",
                      names.size()));
    }
    Item item;
    item.inputs = in.inputs;
    item.notes = in.notes;
    set(item.notes, kLine, reader.line());
    set(item.notes, kText, text_of_row(names, *row));
    out.push(std::move(item));
  }
}

}  // namespace penstock::text
