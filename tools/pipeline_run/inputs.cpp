#include "inputs.h"

#include <memory>
#include <utility>

#include "jsonl.h"
#include "line_reader.h"

namespace penstock::run {
namespace {

Inputs from_list(std::vector<Request> requests) {
  auto list = std::make_shared<std::vector<Request>>(std::move(requests));
  auto next = std::make_shared<std::size_t>(0);
  return [list, next]() -> std::optional<Input> {
    if (*next == list->size()) return std::nullopt;
    return Input{
        .request = (*list)[(*next)++], .place = "", .error = std::nullopt};
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

/// `take` reads a line into a request and says whether it is one. "-" as path:
/// stdin.
Inputs from_lines(const std::string& path, const Stop& stop,
                  bool (*take)(std::string line, Request& request)) {
  auto lines = std::make_shared<LineReader>(path, stop);
  return [lines, take]() -> std::optional<Input> {
    for (;;) {
      Input input;
      input.request.id = std::to_string(lines->number());
      try {
        auto line = lines->next();
        if (!line) return std::nullopt;
        if (!take(std::move(*line), input.request)) continue;
      } catch (const Error& error) {
        input.error = error;
      }
      input.place = lines->place();
      return input;
    }
  };
}

bool take_text(std::string line, Request& request) {
  request.inputs["text"] = std::move(line);
  return true;
}

bool take_json(std::string line, Request& request) {
  if (line.find_first_not_of(" \t\r") == std::string::npos) return false;
  parse_jsonl(line, request);
  return true;
}

}  // namespace

Inputs open_inputs(const Options& options, const PipelineFile& file,
                   const Stop& stop) {
  if (!options.jsonl.empty()) {
    return from_lines(options.jsonl, stop, take_json);
  }
  if (options.use_stdin) return from_lines("-", stop, take_text);
  if (!options.texts.empty()) return from_texts(options.texts);
  if (file.inputs.empty()) {
    throw Error(Code::kUsage,
                "nothing to run: the pipeline file has no `inputs:`; pass "
                "--text, --stdin or --jsonl");
  }
  return from_file(file);
}

}  // namespace penstock::run
