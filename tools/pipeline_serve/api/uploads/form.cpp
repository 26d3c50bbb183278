#include "pipeline_serve/api/uploads/form.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "penstock/params.h"
#include "penstock/text.h"
#include "pipeline_serve/api/openai/body.h"

namespace penstock::serve {

Media media_of(const FormPart& part) {
  if (!part.is_file) {
    throw HttpError(bad_request(
        str("'", part.name, "' is no file: send its bytes, with a file name"),
        part.name));
  }
  if (part.content.empty()) {
    throw HttpError(bad_request(str("'", part.name, "' is empty"), part.name));
  }
  Media media;
  media.name = part.filename;
  media.bytes = std::make_shared<const std::string>(part.content);
  return media;
}

std::string text_of(const FormPart& part) {
  if (part.is_file) {
    throw HttpError(bad_request(
        str("'", part.name, "' is a file, expected a field"), part.name));
  }
  if (invalid_utf8(part.content)) {
    throw HttpError(
        bad_request(str("'", part.name, "' is not UTF-8"), part.name));
  }
  return std::string(part.content);
}

Form::Form(const HttpRequest& request)
    : parts_(parse_form(request.fields.get("content-type"), request.body)) {}

void Form::check_names(const std::vector<std::string>& known) const {
  for (const FormPart& part : parts_) {
    if (std::find(known.begin(), known.end(), part.name) != known.end()) {
      continue;
    }
    const std::string shown = part.name.substr(
        0, complete_utf8(std::string_view(part.name).substr(0, 64)));
    throw HttpError(bad_request(
        str("'", shown, "' is not known here", suggestion(part.name, known)),
        shown));
  }
}

std::optional<std::string> Form::text(const std::string& name) const {
  std::optional<std::string> found;
  for (const FormPart& part : parts_) {
    if (part.name != name) continue;
    if (found)
      throw HttpError(bad_request(str("'", name, "' comes twice"), name));
    found = text_of(part);
  }
  return found;
}

bool Form::flag(const std::string& name) const {
  const auto found = text(name);
  if (!found || *found == "false" || *found == "False") return false;
  if (*found == "true" || *found == "True") return true;
  throw HttpError(
      bad_request(str("'", name, "' is neither true nor false"), name));
}

std::optional<double> Form::real(const std::string& name, double least,
                                 double most) const {
  const auto found = text(name);
  if (!found) return std::nullopt;
  double value = 0;
  const char* const end = found->data() + found->size();
  const auto read = std::from_chars(found->data(), end, value);
  const bool is_number = read.ec == std::errc() && read.ptr == end;
  if (!is_number || !(value >= least && value <= most)) {
    throw HttpError(bad_request(
        str("'", name, "' is no number in ", least, "..", most), name));
  }
  return value;
}

std::vector<std::string> Form::texts(const std::string& name) const {
  std::vector<std::string> all;
  for (const FormPart& part : parts_) {
    if (part.name == name || part.name == name + "[]") {
      all.push_back(text_of(part));
    }
  }
  return all;
}

Media Form::file(const std::string& name) const {
  const FormPart* found = nullptr;
  for (const FormPart& part : parts_) {
    if (part.name != name) continue;
    if (found != nullptr) {
      throw HttpError(bad_request(str("'", name, "' comes twice"), name));
    }
    found = &part;
  }
  if (found == nullptr) {
    throw HttpError(bad_request(str("'", name, "' is missing"), name));
  }
  return media_of(*found);
}

}  // namespace penstock::serve
