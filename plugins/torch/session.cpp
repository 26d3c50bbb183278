#include "torch/session.h"

#include <c10/util/Exception.h>

#include <algorithm>

#include "penstock/error.h"

namespace penstock::pt2 {
namespace {

constexpr std::size_t kLongest = 400;

/// Where the words begin that are for libtorch's authors.
std::size_t end_of_reason(const std::string& text) {
  std::size_t end = text.size();
  for (const char* mark :
       {"Exception raised from", "Traceback of TorchScript",
        "Original Python stacktrace", "While executing", "frame #0",
        "\nTraceback", "This is an internal miniz error"}) {
    end = std::min(end, text.find(mark));
  }
  return end;
}

std::string on_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const bool is_space = c == '\n' || c == '\t' || c == ' ';
    if (!is_space) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
    if (line.size() >= kLongest) break;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of(" \t\n");
  if (end == text.npos) return "";
  const auto begin = text.find_last_of('\n', end);
  return text.substr(begin + 1, end - begin);  // npos + 1: the whole
}

/// " (node 'linear', aten.linear.default)" of nativert's words, which go on
/// with every argument; "" of other texts.
std::string node_of(const std::string& text) {
  const std::string lead = "Exception while executing node: %";
  const std::string op = " = torch.ops.";
  if (!text.starts_with(lead)) return "";
  const auto equals = text.find(op);
  const auto paren = text.find('(', equals);
  if (equals == text.npos || paren == text.npos) return "";
  return str(" (node '", text.substr(lead.size(), equals - lead.size()), "', ",
             text.substr(equals + op.size(), paren - equals - op.size()), ")");
}

bool is_input(const at::Tensor& tensor, const std::vector<at::Tensor>& inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [&](const auto& input) {
    return tensor.storage().is_alias_of(input.storage());
  });
}

}  // namespace

Session::~Session() = default;

std::string reason_of(const std::exception& error) {
  const auto* own = dynamic_cast<const c10::Error*>(&error);
  std::string text = own != nullptr ? own->what_without_backtrace()
                                    : std::string(error.what());
  text.resize(end_of_reason(text));
  const std::string node = node_of(text);
  return node.empty() ? on_one_line(text) : on_one_line(last_line(text)) + node;
}

void refuse(const ModelHead& head, const std::string& problem,
            const std::exception& error) {
  throw Error(Code::kData,
              str(head.path.string(), ": ", problem, ": ", reason_of(error)));
}

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& inputs) {
  std::vector<at::Tensor> out;
  out.reserve(inputs.size());
  for (const at::Tensor& input : inputs) out.push_back(input.clone());
  return out;
}

std::vector<at::Tensor> owned(const std::vector<c10::IValue>& outputs,
                              const std::vector<at::Tensor>& inputs) {
  std::vector<at::Tensor> out;
  out.reserve(outputs.size());
  for (const c10::IValue& value : outputs) {
    at::Tensor& made = out.emplace_back();
    if (!value.isTensor()) continue;
    const at::Tensor& tensor = value.toTensor();
    if (!tensor.defined() || tensor.layout() != at::kStrided) continue;
    made = tensor.contiguous();
    if (is_input(made, inputs)) made = made.clone();
  }
  return out;
}

}  // namespace penstock::pt2
