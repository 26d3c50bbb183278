#include "pipeline_run/inspect/show.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <sstream>

#include "penstock/dtype.h"
#include "penstock/keys.h"
#include "pipeline_run/output/terminal.h"

namespace penstock::run {
namespace {

constexpr std::size_t kWidth = 78;
/// Values of a row that are shown.
constexpr std::int64_t kValues = 64;

std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char byte) {
        return (byte & 0xC0U) != 0x80U;  // not the rest of a character
      }));
}

/// `title` and comma-separated words, wrapped and indented.
std::string wrapped(const std::string& title,
                    const std::vector<std::string>& words) {
  std::string out = title;
  std::size_t column = columns(title);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word =
        (i > 0 ? " " : "") + words[i] + (i + 1 < words.size() ? "," : "");
    if (column + columns(word) > kWidth) {
      out += "\n     ";
      column = 5;
    }
    out += word;
    column += columns(word);
  }
  return out + "\n";
}

std::vector<std::string> shown_values(const at::Tensor& row) {
  std::vector<std::string> words;
  const auto host = row.cpu().to(at::kDouble).contiguous();
  const auto* values = host.const_data_ptr<double>();
  for (std::int64_t i = 0; i < std::min(kValues, host.numel()); ++i) {
    std::ostringstream word;
    word << values[i];
    words.push_back(word.str());
  }
  if (host.numel() > kValues) words.emplace_back("...");
  return words;
}

/// A line break within a piece would break the table.
std::string visible(const std::string& piece) {
  std::string out;
  for (const char c : piece) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return harmless(out);
}

std::vector<std::string> words_of(const Tokens& tokens) {
  std::vector<std::string> words;
  for (const std::int64_t token : tokens) {
    words.push_back(std::to_string(token));
  }
  return words;
}

std::string rows_text(const Step& step) {
  std::vector<std::string> rows;
  for (const Slice& slice : step.slices) {
    std::string row = harmless_name(slice.sequence->item->request->id);
    if (slice.sequence->length() > 0) {
      row += str(" tokens ", slice.begin, "..", slice.begin + slice.count);
    }
    rows.push_back(std::move(row));
  }
  return wrapped("  rows  ", rows);
}

std::string batch_text(const Step& step) {
  std::string out = rows_text(step);
  for (const auto& [name, tensor] : step.inputs) {
    out += tensor_text(name, tensor);
  }
  return out;
}

std::string forward_text(const Result& result) {
  std::string out = "forward\n";
  for (const auto& [name, tensor] : result.out) {
    out += "  " + name + "  " + shape_text(tensor) + "\n";
  }
  const Scores& scores = result.scores;
  if (scores.full.defined()) {
    out += "  scores.full  " + shape_text(scores.full) + "\n";
  }
  const std::vector<std::pair<const char*, const at::Tensor*>> small{
      {"scores.ids (best first)", &scores.ids},
      {"scores.values", &scores.values},
      {"scores.at", &scores.at},
      {"scores.norm", &scores.norm},
      {"scores.follow", &scores.follow}};
  for (const auto& [name, tensor] : small) {
    if (tensor->defined()) out += tensor_text(name, *tensor);
  }
  return out;
}

}  // namespace

std::string tensor_text(const std::string& name, const at::Tensor& tensor) {
  std::string out = "  " + name + "  " + shape_text(tensor) + "\n";
  if (tensor.dim() == 2 && tensor.size(0) <= 8) {
    for (std::int64_t i = 0; i < tensor.size(0); ++i) {
      out += wrapped("    [" + std::to_string(i) + "] ",
                     shown_values(tensor.select(0, i)));
    }
  } else if (tensor.dim() == 1) {
    out += wrapped("    ", shown_values(tensor));
  }
  return out;
}

std::string shape_text(const at::Tensor& tensor) {
  std::ostringstream out;
  out << dtype_word(tensor.scalar_type()) << tensor.sizes();
  return out.str();
}

void Show::item(const Request& request, const Item& item) {
  if (!shown_.preprocess) return;
  std::string out = "preprocess  request " + harmless_name(request.id) + "\n";
  out += wrapped("  input_ids " + std::to_string(item.tokens.size()) + ": ",
                 words_of(item.tokens));
  if (const std::string* pieces = find(item.notes, kPieces)) {
    std::vector<std::string> words;
    std::istringstream in(*pieces);
    for (std::string word; std::getline(in, word, '\0');) {
      words.push_back(visible(word));
    }
    out += wrapped("  pieces    " + std::to_string(words.size()) + ": ", words);
  }
  for (const auto& [name, tensor] : item.inputs) {
    out += "  " + name + "  " + shape_text(tensor) + "\n";
  }
  output_.write(out);
}

void Show::step(const Step& step, const Result& result) {
  if (!shown_.batch && !shown_.forward) return;
  if (steps_++ >= shown_.steps) return;
  std::string out = str("\nstep ", steps_ - 1, "  batch: ", step.slices.size(),
                        " rows, ", to_string(step.layout), "\n");
  if (shown_.batch) out += batch_text(step);
  if (shown_.forward) out += forward_text(result);
  if (steps_ == shown_.steps) {
    out += "\n... and so on: decode adds a token to each row, every step\n";
  }
  output_.write(out);
}

}  // namespace penstock::run
