#include "pipeline_run/input/inputs.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include "pipeline_run/input/files.h"
#include "pipeline_run/input/jsonl.h"
#include "pipeline_run/input/line_reader.h"

namespace penstock::run {
namespace {

Inputs from_list(std::vector<Request> requests) {
  auto list = std::make_shared<std::vector<Request>>(std::move(requests));
  auto next = std::make_shared<std::size_t>(0);
  const auto give = [list, next]() -> std::optional<Input> {
    if (*next == list->size()) return std::nullopt;
    Input input;
    input.request = (*list)[(*next)++];
    return input;
  };
  return {.next = give, .count = list->size()};
}

Request text_request(std::string id, std::string text) {
  Request request;
  request.id = std::move(id);
  request.inputs["text"] = std::move(text);
  return request;
}

Inputs from_texts(const std::vector<std::string>& texts) {
  std::vector<Request> requests;
  requests.reserve(texts.size());
  for (const std::string& text : texts) {
    requests.push_back(text_request(std::to_string(requests.size()), text));
  }
  return from_list(std::move(requests));
}

Inputs from_file(const std::vector<InputConfig>& own,
                 const std::vector<Port>& ports) {
  std::vector<Request> requests;
  for (const InputConfig& input : own) {
    Request request;
    request.id = input.id.empty() ? std::to_string(requests.size()) : input.id;
    for (const auto& [name, value] : input.values) {
      request.inputs[name] = value;
    }
    request.options = input.options;
    name_media(ports, request);
    requests.push_back(std::move(request));
  }
  return from_list(std::move(requests));
}

/// A request for each file, named after it.
Inputs from_files(const std::vector<std::string>& paths,
                  const std::vector<Port>& ports, const Stop& stop) {
  std::vector<Request> requests;
  for (const std::string& path : paths) {
    const Port port = only_media_port(ports, path);
    if (path == "-") {
      requests.emplace_back().id = "stdin";
      requests.back().inputs[port.name] = stdin_input(port, stop);
      continue;
    }
    for (const std::string& name : files_of(path, port)) {
      Media media;
      media.name = name;
      requests.emplace_back().id = name;
      requests.back().inputs[port.name] = std::move(media);
    }
  }
  return from_list(std::move(requests));
}

/// --input NAME=VALUE: values of one request, until a name comes again. A
/// VALUE alone is a file for the only media port.
Inputs from_named(const std::vector<std::string>& named,
                  const std::vector<Port>& ports) {
  std::vector<Request> requests;
  for (const std::string& each : named) {
    const auto at = each.find('=');
    const bool has_name =
        at != std::string::npos && each.find('/') > at && at > 0;
    const std::string name =
        has_name ? each.substr(0, at)
                 : (ports.empty() ? "text" : only_media_port(ports, each).name);
    const bool is_new =
        requests.empty() || requests.back().inputs.contains(name);
    if (is_new) {
      const auto number = requests.size();
      requests.emplace_back().id = std::to_string(number);
    }
    requests.back().inputs[name] = has_name ? each.substr(at + 1) : each;
  }
  for (Request& request : requests) name_media(ports, request);
  return from_list(std::move(requests));
}

/// `take` reads a line into a request and says whether it is one. "-" as path:
/// stdin.
Inputs from_lines(const std::string& path, const std::vector<Port>& ports,
                  const Stop& stop,
                  bool (*take)(const std::string& line,
                               const std::vector<Port>& ports, Input& input)) {
  auto lines = std::make_shared<LineReader>(path, stop);
  const auto give = [lines, take, ports]() -> std::optional<Input> {
    for (;;) {
      Input input;
      input.request.id = std::to_string(lines->number());
      try {
        auto line = lines->next();
        if (!line) return std::nullopt;
        if (!take(*line, ports, input)) continue;
      } catch (const Error& error) {
        input.error = error;
      }
      input.place = lines->place();
      return input;
    }
  };
  return {.next = give, .count = std::nullopt};
}

/// A line is text, or the path of a file where the pipeline takes one.
bool take_text(const std::string& line, const std::vector<Port>& ports,
               Input& input) {
  input.request.inputs[ports.size() == 1 ? ports[0].name : "text"] = line;
  name_media(ports, input.request);
  return true;
}

bool is_blank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

bool take_json(const std::string& line, const std::vector<Port>& ports,
               Input& input) {
  if (is_blank(line)) return false;
  parse_jsonl(line, input.request, input.openai);
  name_media(ports, input.request);
  return true;
}

/// How many requests a file has, for the time that is left. A pipe can be read
/// only once.
std::optional<std::size_t> count_lines(const std::string& path) {
  if (!std::filesystem::is_regular_file(path)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);)
    count += is_blank(line) ? 0 : 1;
  return count;
}

/// The options that say whether a text is a conversation, one for each stage
/// that makes one.
std::vector<std::string> chat_options(const PipelineFile& file) {
  std::vector<std::string> names;
  const std::size_t count = file.preprocess.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto* chat = file.preprocess[i].spec->params.find("chat");
    if (chat == nullptr || !chat->is_per_request) continue;
    names.push_back(count == 1 ? "preprocess.chat"
                               : str("preprocess.", i, ".chat"));
  }
  return names;
}

}  // namespace

Inputs open_inputs(const Options& options, const std::vector<Port>& ports,
                   const std::vector<InputConfig>& own, const Stop& stop) {
  if (!options.jsonl.empty()) {
    Inputs inputs = from_lines(options.jsonl, ports, stop, take_json);
    inputs.count = count_lines(options.jsonl);
    return inputs;
  }
  // "-" is a file where the pipeline takes one, else lines of text.
  const bool is_dash = options.files == std::vector<std::string>{"-"};
  if (options.use_stdin || (is_dash && ports.empty())) {
    return from_lines("-", ports, stop, take_text);
  }
  if (!options.files.empty()) return from_files(options.files, ports, stop);
  if (!options.named.empty()) return from_named(options.named, ports);
  if (!options.texts.empty()) return from_texts(options.texts);
  if (own.empty()) {
    throw Error(Code::kUsage,
                "nothing to run: the pipeline file has no `inputs:`; pass "
                "--text, --stdin, --jsonl or a file");
  }
  return from_file(own, ports);
}

Inputs open_inputs(const Options& options, const PipelineFile& file,
                   const Stop& stop) {
  Inputs inputs = open_inputs(options, media_ports(file), file.inputs, stop);
  inputs.next = [next = std::move(inputs.next), names = chat_options(file)] {
    auto input = next();
    if (!input || !input->openai || input->openai->is_chat) return input;
    for (const std::string& name : names) {
      input->request.options[name] = RawScalar{.text = "false"};
    }
    return input;
  };
  return inputs;
}

Inputs open_inputs(const Options& options, const CompositionFile& file,
                   const Stop& stop) {
  if (file.is_one()) return open_inputs(options, file.steps[0].file, stop);
  return open_inputs(options, media_ports(file), file.inputs, stop);
}

}  // namespace penstock::run
