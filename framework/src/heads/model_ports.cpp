#include "penstock/model_ports.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>

#include "base/quote.h"
#include "penstock/error.h"

namespace penstock {
namespace {

using From = ModelInput::From;

constexpr std::array<std::string_view, 10> kDtypes{
    "bool", "u8", "i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64"};

bool is_dtype(const std::string& word) {
  return std::find(kDtypes.begin(), kDtypes.end(), word) != kDtypes.end();
}

bool is_dynamic(const std::string& dim) { return !fixed_dim(dim); }

/// Dim 0 is there and dynamic, or may be.
bool has_dynamic_rows(const ModelTensor& tensor) {
  return !tensor.has_rank ||
         (!tensor.dims.empty() && is_dynamic(tensor.dims[0]));
}

/// `text` with what a name of a port cannot have as _.
std::string as_word(std::string text, std::string_view others) {
  for (char& c : text) {
    const bool is_fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' ||
                         others.find(c) != others.npos;
    if (!is_fine) c = '_';
  }
  return text.empty() ? "_" : text;
}

struct Pair {
  std::string left, right;
};

Pair pair_of(const std::string& param, const std::string& text) {
  const auto at = text.find('=');
  if (at == text.npos || at == 0 || at + 1 == text.size()) {
    throw Error(Code::kData,
                str(param, ": ", shown(text), " is not written NAME=",
                    param == "set" ? "NUMBERS" : "NAME"));
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

template <class Tensors>
std::vector<std::string> names_of(const Tensors& tensors) {
  std::vector<std::string> names;
  names.reserve(tensors.size());
  for (const auto& tensor : tensors) names.push_back(tensor.file.name);
  return names;
}

/// The input or output of that name in the file; null: none.
template <class Tensors>
auto* find(Tensors& tensors, const std::string& name) {
  const auto at = std::find_if(
      tensors.begin(), tensors.end(),
      [&](const auto& tensor) { return tensor.file.name == name; });
  return at == tensors.end() ? nullptr : &*at;
}

/// As find(), by the file's name or the pipeline's.
template <class Tensors>
auto& need(Tensors& tensors, const std::string& param, const char* what,
           const std::string& name) {
  if (auto* found = find(tensors, name)) return *found;
  for (auto& tensor : tensors) {
    if (tensor.port.name == name) return tensor;
  }
  const auto names = names_of(tensors);
  throw Error(Code::kData,
              str(param, ": the model has no ", what, " ", shown(name),
                  suggestion(name, names), "; it has: ", joined(names)));
}

/// Names for dims: one for each name of the file, N1, N2, ... for the rest.
class DimNames {
 public:
  explicit DimNames(const ModelHead& head) {
    for (const auto* tensors : {&head.inputs, &head.outputs}) {
      for (const ModelTensor& tensor : *tensors) {
        for (const std::string& dim : tensor.dims) taken_.insert(dim);
      }
    }
  }
  std::string of(const std::string& dim) {
    if (!is_dynamic(dim)) return dim;
    if (dim.empty()) {
      std::string fresh;
      do {
        fresh = str("N", ++count_);
      } while (taken_.contains(fresh));
      return fresh;
    }
    std::string word = as_word(dim, "");
    return word[0] >= '0' && word[0] <= '9' ? "N" + word : word;
  }

 private:
  std::set<std::string> taken_;
  int count_ = 0;
};

class Maker {
 public:
  Maker(const ModelHead& head, const ModelOptions& options)
      : head_(head), options_(options), names_(head) {
    for (const ModelTensor& input : head.inputs) {
      ModelInput& made = out_.inputs.emplace_back();
      made.file = input;
      made.port.name = as_word(input.name, ".-+/");
      made.port.dtype = input.dtype;
    }
    for (const ModelTensor& output : head.outputs) {
      ModelOutput& made = out_.outputs.emplace_back();
      made.file = output;
      made.port.name = as_word(output.name, ".-+/");
      made.port.dtype = output.dtype;
      made.is_given = is_dtype(output.dtype);
    }
  }

  ModelPorts make() {
    rename();
    read_constants();
    read_states();
    read_scans();
    read_channels();
    check_dtypes();
    choose_rows();
    for (ModelInput& input : out_.inputs) fill(input);
    for (ModelOutput& output : out_.outputs) fill(output);
    check_ports();
    return std::move(out_);
  }

 private:
  void rename();
  void read_constants();
  void read_states();
  void read_scans();
  void read_channels();
  void add_steps(Port& port) const;
  void check_dtypes() const;
  void choose_rows();
  [[nodiscard]] ModelRows rows_by_shapes() const;
  void fill(ModelInput& input);
  void fill(ModelOutput& output);
  void check_ports() const;

  const ModelHead& head_;
  const ModelOptions& options_;
  DimNames names_;
  std::set<std::string> row_dims_;  ///< names of the file's that are rows
  bool is_scanned_ = false;
  ModelPorts out_;
};

void Maker::rename() {
  for (const std::string& text : options_.names) {
    const auto [theirs, ours] = pair_of("names", text);
    if (as_word(ours, ".-+/") != ours) {
      throw Error(Code::kData, str("names: ", shown(ours),
                                   " is no name; take letters, digits and _"));
    }
    auto* input = find(out_.inputs, theirs);
    auto* output = find(out_.outputs, theirs);
    if (input != nullptr) input->port.name = ours;
    if (output != nullptr) output->port.name = ours;
    if (input != nullptr || output != nullptr) continue;
    auto all = names_of(out_.inputs);
    for (auto& name : names_of(out_.outputs)) all.push_back(std::move(name));
    throw Error(Code::kData,
                str("names: the model has no ", shown(theirs),
                    suggestion(theirs, all), "; it has: ", joined(all)));
  }
}

std::vector<double> numbers_of(const std::string& text) {
  std::vector<double> numbers;
  std::string_view rest = text;
  while (!rest.empty()) {
    if (rest.front() == ' ' || rest.front() == ',') {
      rest.remove_prefix(1);
      continue;
    }
    double value = 0;
    const auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc()) {
      throw Error(Code::kData, str("set: ", shown(text),
                                   " are no numbers; write them as in "
                                   "scales=0.667 1 0.8"));
    }
    numbers.push_back(value);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  }
  return numbers;
}

void check_constant(const ModelInput& input) {
  const bool is_real = input.file.dtype[0] == 'f' || input.file.dtype == "bf16";
  for (const double value : input.constant) {
    if (is_real || value == std::floor(value)) continue;
    throw Error(Code::kData, str("set: ", to_string(input.file),
                                 " takes whole numbers, not ", value));
  }
  if (input.constant.size() == 1) return;
  std::size_t count = 1;
  for (const std::string& dim : input.file.dims) {
    if (is_dynamic(dim)) {
      count = input.constant.size();
      break;
    }
    count *= std::stoul(dim.substr(0, 12));
  }
  if (count == input.constant.size()) return;
  throw Error(Code::kData, str("set: ", to_string(input.file), " takes ", count,
                               " numbers, or one for all of them; not ",
                               input.constant.size()));
}

void Maker::read_constants() {
  for (const std::string& text : options_.set) {
    const auto [name, numbers] = pair_of("set", text);
    ModelInput& input = need(out_.inputs, "set", "input", name);
    input.from = From::kConstant;
    input.constant = numbers_of(numbers);
    if (!is_dtype(input.file.dtype)) continue;  // refused with its dtype
    check_constant(input);
  }
}

void Maker::read_states() {
  for (const std::string& text : options_.state) {
    const auto [from, to] = pair_of("state", text);
    ModelOutput& output = need(out_.outputs, "state", "output", from);
    ModelInput& input = need(out_.inputs, "state", "input", to);
    bool fits = input.file.dtype == output.file.dtype;
    if (input.file.has_rank && output.file.has_rank) {
      fits = fits && input.file.dims.size() == output.file.dims.size();
      for (std::size_t i = 0; fits && i < input.file.dims.size(); ++i) {
        fits = input.file.dims[i] == output.file.dims[i] ||
               is_dynamic(input.file.dims[i]) ||
               is_dynamic(output.file.dims[i]);
      }
    }
    if (!fits) {
      throw Error(Code::kData, str("state: output ", to_string(output.file),
                                   " cannot be input ", to_string(input.file)));
    }
    input.from = From::kState;
    input.output = static_cast<std::size_t>(&output - out_.outputs.data());
    output.is_given = false;
  }
}

void Maker::read_scans() {
  for (const std::string& name : options_.scan) {
    ModelInput& input = need(out_.inputs, "scan", "input", name);
    if (input.from != From::kItem) {
      throw Error(Code::kData, str("scan: ", shown(name),
                                   " is given by set or state already"));
    }
    input.is_scanned = is_scanned_ = true;
  }
}

void Maker::read_channels() {
  for (const std::string& name : options_.channels_last) {
    ModelInput& input = need(out_.inputs, "channels_last", "input", name);
    if (input.from != From::kItem || input.file.dims.size() < 3) {
      throw Error(Code::kData,
                  str("channels_last: ", to_string(input.file),
                      " is no input of pictures, [...,height,width,channels]"));
    }
    input.is_channels_last = true;
    if (input.file.dtype == "u8") input.port.dtype = "f32";
  }
}

/// S behind B.
void Maker::add_steps(Port& port) const {
  if (is_scanned_) port.dims.insert(port.dims.begin() + 1, "S");
}

void Maker::check_dtypes() const {
  for (const ModelInput& input : out_.inputs) {
    if (is_dtype(input.file.dtype)) continue;
    throw Error(Code::kData,
                str(head_.path.string(), ": input ", to_string(input.file),
                    " is no tensor of numbers, which is all that "
                    "a pipeline can give"));
  }
}

ModelRows Maker::rows_by_shapes() const {
  bool are_all_dynamic = true;
  bool is_any_one = false;
  for (const ModelInput& input : out_.inputs) {
    if (input.from == From::kConstant) continue;
    are_all_dynamic = are_all_dynamic && has_dynamic_rows(input.file);
    if (input.from != From::kItem || input.file.dims.empty()) continue;
    is_any_one = is_any_one || input.file.dims[0] == "1";
  }
  if (are_all_dynamic) return ModelRows::kBatch;
  return is_any_one ? ModelRows::kOne : ModelRows::kNoRows;
}

void Maker::choose_rows() {
  if (options_.rows == "auto") out_.rows = rows_by_shapes();
  if (options_.rows == "one") out_.rows = ModelRows::kOne;
  if (options_.rows == "none") out_.rows = ModelRows::kNoRows;
  for (ModelInput& input : out_.inputs) {
    const auto& dims = input.file.dims;
    const bool is_dynamic_one =
        options_.rows == "one" && has_dynamic_rows(input.file);
    if (input.from != From::kConstant && out_.rows == ModelRows::kBatch) {
      if (!has_dynamic_rows(input.file)) {
        throw Error(Code::kData,
                    str("rows: batch needs a dynamic dim 0, but the model's "
                        "input is ",
                        to_string(input.file), "; set rows: one"));
      }
      input.has_row_dim = true;
    }
    if (input.from == From::kItem && out_.rows == ModelRows::kOne) {
      input.has_row_dim = is_dynamic_one || (!dims.empty() && dims[0] == "1");
    }
    if (input.has_row_dim && !dims.empty()) row_dims_.insert(dims[0]);
  }
}

void Maker::fill(ModelInput& input) {
  for (const std::string& dim : input.file.dims) {
    const bool is_row = &dim == input.file.dims.data() &&
                        (input.has_row_dim || (out_.rows == ModelRows::kBatch &&
                                               row_dims_.contains(dim)));
    input.dims.push_back(is_row ? "B" : names_.of(dim));
  }
  auto& dims = input.port.dims;
  dims = input.dims;
  if (input.has_row_dim && !dims.empty()) dims.erase(dims.begin());
  dims.insert(dims.begin(), "B");
  if (!input.file.has_rank) dims.emplace_back("...");
  if (input.is_channels_last) {
    std::rotate(dims.end() - 3, dims.end() - 1, dims.end());
  }
  if (input.is_scanned) add_steps(input.port);
}

void Maker::fill(ModelOutput& output) {
  const auto& file = output.file;
  if (out_.rows == ModelRows::kBatch) {
    // Others than torch.export name a dim as they like, or not at all.
    output.has_row_dim =
        head_.format == "torch.export"
            ? !file.dims.empty() && row_dims_.contains(file.dims[0])
            : has_dynamic_rows(file);
    output.is_given = output.is_given && output.has_row_dim;
  } else if (out_.rows == ModelRows::kOne) {
    output.has_row_dim =
        !file.has_rank ||
        (!file.dims.empty() &&
         (file.dims[0] == "1" || row_dims_.contains(file.dims[0])));
  }
  auto& dims = output.port.dims;
  dims.emplace_back("B");
  for (const std::string& dim : file.dims) {
    const bool is_row = output.has_row_dim && &dim == file.dims.data();
    if (!is_row) dims.push_back(names_.of(dim));
  }
  if (!file.has_rank) dims.emplace_back("...");
  add_steps(output.port);
}

void Maker::check_ports() const {
  const auto refuse_twice = [](const auto& tensors, const char* what,
                               const auto& is_port) {
    std::set<std::string> seen;
    for (const auto& tensor : tensors) {
      if (!is_port(tensor) || seen.insert(tensor.port.name).second) continue;
      throw Error(Code::kData, str("two ", what, " of the model are called ",
                                   shown(tensor.port.name),
                                   "; give one another name with names"));
    }
  };
  const auto is_given = [](const ModelOutput& output) {
    return output.is_given;
  };
  refuse_twice(out_.inputs, "inputs", [](const ModelInput& input) {
    return input.from == From::kItem;
  });
  refuse_twice(out_.outputs, "outputs", is_given);
  if (std::any_of(out_.outputs.begin(), out_.outputs.end(), is_given)) return;
  if (out_.outputs.empty()) {
    throw Error(Code::kData,
                str(head_.path.string(), ": the file (", head_.format,
                    ") does not say its inputs and outputs; write them into "
                    "the pipeline file: ports: [\"x: f32[B,3]\", "
                    "\"-> y: f32[B,5]\"]"));
  }
  throw Error(Code::kData,
              str(head_.path.string(),
                  ": no output has the rows of the batch as its dim 0; set "
                  "rows: one"));
}

}  // namespace

Ports ModelPorts::ports() const {
  Ports out;
  for (const ModelInput& input : inputs) {
    if (input.from == From::kItem) out.inputs.push_back(input.port);
  }
  for (const ModelOutput& output : outputs) {
    if (output.is_given) out.outputs.push_back(output.port);
  }
  return out;
}

ModelPorts model_ports(const ModelHead& head, const ModelOptions& options) {
  return Maker(head, options).make();
}

}  // namespace penstock
