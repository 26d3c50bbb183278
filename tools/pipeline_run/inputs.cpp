#include "inputs.h"

#include <iostream>
#include <utility>

#include "jsonl.h"

namespace penstock::run {
namespace {

constexpr std::size_t kMostLineBytes = 16U << 20U;

Inputs from_list(std::vector<Request> requests) {
  auto list = std::make_shared<std::vector<Request>>(std::move(requests));
  auto next = std::make_shared<std::size_t>(0);
  return [list, next]() -> std::optional<Input> {
    if (*next == list->size()) return std::nullopt;
    return Input{.request = (*list)[(*next)++], .error = std::nullopt};
  };
}

Request text_request(std::string id, std::string text) {
  Request request;
  request.id = std::move(id);
  request.inputs["text"] = std::move(text);
  return request;
}

Inputs from_texts(const std::vector<std::string>& texts) {
  std::vector<Request> requests;
  for (const std::string& text : texts) {
    requests.push_back(text_request(std::to_string(requests.size()), text));
  }
  return from_list(std::move(requests));
}

Inputs from_file(const PipelineFile& file) {
  std::vector<Request> requests;
  for (const InputConfig& input : file.inputs) {
    Request request;
    request.id = input.id.empty() ? std::to_string(requests.size()) : input.id;
    for (const auto& [name, value] : input.values) {
      request.inputs[name] = value;
    }
    request.options = input.options;
    requests.push_back(std::move(request));
  }
  return from_list(std::move(requests));
}

Inputs from_stdin() {
  auto count = std::make_shared<std::size_t>(0);
  return [count]() -> std::optional<Input> {
    const std::string id = std::to_string((*count)++);
    try {
      auto line = read_line(std::cin, kMostLineBytes);
      if (!line) return std::nullopt;
      return Input{.request = text_request(id, std::move(*line)),
                   .error = std::nullopt};
    } catch (Error& error) {
      return Input{.request = text_request(id, ""),
                   .error = error.in(str("stdin, line ", *count))};
    }
  };
}

}  // namespace

std::optional<std::string> read_line(std::istream& in, std::size_t limit) {
  std::string line;
  for (int next = in.get(); next != std::istream::traits_type::eof();
       next = in.get()) {
    if (next == '\n') return line;
    if (line.size() == limit) {
      in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
      throw Error(Code::kData,
                  str("the line is longer than ", limit >> 20U, " MiB"));
    }
    line += static_cast<char>(next);
  }
  if (line.empty()) return std::nullopt;
  return line;
}

Inputs open_inputs(const Options& options, const PipelineFile& file) {
  if (!options.jsonl.empty()) return open_jsonl(options.jsonl, kMostLineBytes);
  if (options.use_stdin) return from_stdin();
  if (!options.texts.empty()) return from_texts(options.texts);
  if (file.inputs.empty()) {
    throw Error(Code::kUsage,
                "nothing to run: the pipeline file has no `inputs:`; pass "
                "--text, --stdin or --jsonl");
  }
  return from_file(file);
}

}  // namespace penstock::run
