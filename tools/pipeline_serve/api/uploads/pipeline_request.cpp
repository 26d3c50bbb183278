#include "pipeline_serve/api/uploads/pipeline_request.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/json.h"
#include "pipeline_run/input/files.h"
#include "pipeline_run/input/jsonl.h"
#include "pipeline_serve/api/openai/body.h"
#include "pipeline_serve/api/uploads/form.h"

namespace penstock::serve {
namespace {

constexpr const char* kBody = "the body";
constexpr const char* kStream = "stream";
/// Members of a line that are texts, and those that are JSON of other kinds.
constexpr std::array<std::string_view, 3> kTexts{"id", "text", "continuation"};
constexpr std::array<std::string_view, 6> kJson{
    "messages", "tools", "token_ids", "inputs", "options", "deadline_ms"};

template <class Names>
bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

using Ports = std::vector<Port>;

std::string names_of(const Ports& ports) {
  std::string out;
  for (const Port& port : ports) out += (out.empty() ? "" : ", ") + port.name;
  return out;
}

const Port* find_port(const Ports& ports, const std::string& name) {
  const auto found =
      std::find_if(ports.begin(), ports.end(),
                   [&](const Port& port) { return port.name == name; });
  return found == ports.end() ? nullptr : &*found;
}

/// The members of a line, and `stream`.
void take_line(const Body& body, PipelineCall& call) {
  JsonValue line;
  auto& members = line.data.emplace<JsonValue::Object>();
  auto known = run::jsonl_keys();
  known.emplace_back(kStream);
  for (const auto& [name, value] : body.view().members()) {
    if (!has(known, name)) {
      const std::string shown = name.substr(0, 64);
      throw HttpError(bad_request(
          str("'", shown, "' is not known here", suggestion(name, known)),
          shown));
    }
    if (name != kStream) members.push_back({name, value.value()});
  }
  call.is_stream = call.is_stream || body.flag(kStream);
  reading([&] { run::read_request({line, kBody}, call.request); });
}

/// One member, of a field's text.
void take_member(const std::string& name, JsonValue value, Request& request) {
  JsonValue line;
  line.data.emplace<JsonValue::Object>().push_back({name, std::move(value)});
  reading([&] { run::read_request({line, kBody}, request); });
}

void take_file(const FormPart& part, const Ports& ports, Request& request) {
  const Port* port = find_port(ports, part.name);
  if (port == nullptr && part.name == "file" && ports.size() == 1) {
    port = ports.data();
  }
  if (port == nullptr) {
    throw HttpError(bad_request(
        str("'", part.name, "' takes no file",
            ports.empty() ? "; this pipeline takes none"
                          : "; expected one for " + names_of(ports)),
        part.name));
  }
  const bool is_new =
      request.inputs.insert_or_assign(port->name, media_of(part)).second;
  if (!is_new) {
    throw HttpError(
        bad_request(str("'", part.name, "' comes twice"), part.name));
  }
}

/// "stop" and "stop[]" are one option, a list where it comes again.
void take_option(const FormPart& part, Request& request) {
  std::string name = part.name;
  const bool is_list = name.ends_with("[]");
  if (is_list) name.resize(name.size() - 2);
  RawScalar value{.text = text_of(part), .quoted = false};
  const auto found = request.options.find(name);
  if (found == request.options.end()) {
    if (is_list) {
      request.options[name] = std::vector<RawScalar>{std::move(value)};
    } else {
      request.options[name] = std::move(value);
    }
    return;
  }
  if (const auto* one = std::get_if<RawScalar>(&found->second)) {
    found->second = std::vector<RawScalar>{RawScalar(*one)};
  }
  std::get<std::vector<RawScalar>>(found->second).push_back(std::move(value));
}

void take_field(const FormPart& part, Request& request) {
  if (has(kTexts, part.name)) {
    return take_member(part.name, {text_of(part)}, request);
  }
  if (has(kJson, part.name)) {
    const std::string text = text_of(part);
    return take_member(part.name, reading([&] {
                         return parse_json(text, str(kBody, ": ", part.name),
                                           {.bytes = text.size(), .depth = 32});
                       }),
                       request);
  }
  take_option(part, request);
}

void take_form(const Form& form, const Ports& ports, PipelineCall& call) {
  if (const auto line = form.text("request")) take_line(Body(*line), call);
  call.is_stream = call.is_stream || form.flag(kStream);
  for (const FormPart& part : form.parts()) {
    if (part.name == "request" || part.name == kStream) continue;
    if (part.is_file || find_port(ports, part.name) != nullptr) {
      take_file(part, ports, call.request);
    } else {
      take_field(part, call.request);
    }
  }
}

/// A text where a file belongs would be opened as a path.
void check_media(const Ports& ports, const Request& request) {
  std::size_t count = 0;
  for (const Port& port : ports) {
    const auto found = request.inputs.find(port.name);
    if (found == request.inputs.end()) continue;
    ++count;
    const auto* media = std::get_if<Media>(&found->second);
    if (media != nullptr && media->bytes != nullptr) continue;
    throw HttpError(bad_request(
        str("'", port.name,
            "' is a file: send its bytes as multipart/form-data"
            ", in a field of that name; files of the server cannot be named"),
        "inputs." + port.name));
  }
  if (count > 0 || ports.empty()) return;
  throw HttpError(
      bad_request(str("'", ports[0].name,
                      "' is missing: send a file as "
                      "multipart/form-data, in a field of that name"),
                  ports[0].name));
}

}  // namespace

PipelineCall read_pipeline_call(const HttpRequest& http,
                                const CompositionFile& file) {
  PipelineCall call;
  call.is_stream = http.fields.get("accept").find("text/event-stream") !=
                   std::string_view::npos;
  const Ports ports = run::media_ports(file);
  if (is_form(http.fields.get("content-type"))) {
    take_form(Form(http), ports, call);
  } else {
    take_line(Body(http.body), call);
  }
  check_media(ports, call.request);
  return call;
}

}  // namespace penstock::serve
