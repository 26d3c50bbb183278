// An upload as a handler reads it: fields by name, each once, and files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "penstock/value.h"
#include "pipeline_serve/api/uploads/multipart.h"
#include "pipeline_serve/http/message.h"

namespace penstock::serve {

class Form {
 public:
  /// `request` outlives it. Throws HttpError.
  explicit Form(const HttpRequest& request);

  [[nodiscard]] const std::vector<FormPart>& parts() const { return parts_; }
  /// Throws HttpError for a part of another name than these.
  void check_names(const std::vector<std::string>& known) const;
  /// The only field of that name; nothing where there is none. Throws HttpError
  /// where it comes twice, is a file, or no text.
  [[nodiscard]] std::optional<std::string> text(const std::string& name) const;
  /// True or false; false where there is none.
  [[nodiscard]] bool flag(const std::string& name) const;
  /// A number in bounds.
  [[nodiscard]] std::optional<double> real(const std::string& name,
                                           double least, double most) const;
  /// Every field of that name, also as `name[]`.
  [[nodiscard]] std::vector<std::string> texts(const std::string& name) const;
  /// The file of that name; throws HttpError where there is none, or nothing
  /// in it.
  [[nodiscard]] Media file(const std::string& name) const;

 private:
  std::vector<FormPart> parts_;
};

/// A part that is a file, with a copy of its bytes. Throws HttpError where
/// there are none.
[[nodiscard]] Media media_of(const FormPart& part);
/// A field's content; throws HttpError for a file, or what is no text.
[[nodiscard]] std::string text_of(const FormPart& part);

}  // namespace penstock::serve
