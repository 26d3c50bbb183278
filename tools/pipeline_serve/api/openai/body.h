// The JSON body of a request in OpenAI's API. Nothing in it is passed over in
// silence: what is unknown, of a wrong type or out of bounds is an HttpError
// 400 with the member's name as `param`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "penstock/json.h"
#include "penstock/params.h"
#include "pipeline_serve/http/message.h"

namespace penstock::serve {

[[nodiscard]] HttpError bad_request(const std::string& message,
                                    const std::string& param = {});
/// The place "a.b[2]" that a JsonView's complaint begins with; "" where it is
/// about the whole.
[[nodiscard]] std::string place_of(const std::string& complaint);
/// What a JsonView of the body complains of: its place is the param.
[[nodiscard]] HttpError bad_request(const Error& error);

class Body {
 public:
  /// Throws HttpError for what is no JSON object.
  explicit Body(const std::string& text);
  /// A member; nothing where there is none or it is null.
  [[nodiscard]] std::optional<JsonView> find(const std::string& name) const;
  /// One that must be there.
  [[nodiscard]] JsonView at(const std::string& name) const;
  /// A text; `fallback` where there is none.
  [[nodiscard]] std::string text(const std::string& name,
                                 const std::string& fallback = {}) const;
  /// True or false; false where it is not there.
  [[nodiscard]] bool flag(const std::string& name) const;
  /// A whole number in bounds.
  [[nodiscard]] std::optional<std::int64_t> integer(const std::string& name,
                                                    std::int64_t least,
                                                    std::int64_t most) const;
  [[nodiscard]] JsonView view() const;

 private:
  JsonValue json_;
};

/// The members that a route knows.
struct Members {
  std::vector<std::string> own;      ///< the route reads them
  std::vector<std::string> options;  ///< handed to the pipeline: options.h
};

/// Throws HttpError for a member that is none of them, nor a hint that changes
/// no answer, nor one that asks for what there is anyway.
void check_members(const Body& body, const Members& members);

/// `read`, with what a JsonView complains of as an HttpError.
template <class Read>
auto reading(const Read& read) {
  try {
    return read();
  } catch (const Error& error) {
    throw HttpError(bad_request(error));
  }
}

}  // namespace penstock::serve
