// What comes in over HTTP and what goes out, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/request.h"

namespace penstock::serve {

/// Header fields in their order; names compare without case.
class Fields {
 public:
  void add(std::string name, std::string value);
  /// The first value; empty where there is none.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all()
      const {
    return all_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

/// How a client stands to others.
struct Terms {
  double weight = 1;  ///< its share beside theirs
  /// The highest it may ask for; nothing: any.
  std::optional<std::int64_t> priority = {};
};

/// A request that has come whole.
struct HttpRequest {
  std::string id;  ///< ours, unique in the process; goes out as x-request-id
  std::string method;  ///< GET for HEAD as well
  std::string path;    ///< as it came, without the query
  Fields fields;
  std::string body;
  std::string client;  ///< name of the key it came with; empty: without keys
  Terms terms = {};    ///< of that key
  Time arrived{};
};

/// An answer, or the head of a stream with `body` as its first piece.
struct Answer {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  Fields fields;
};

/// A request that is refused; the router writes it in the shape of its route:
/// OpenAI's object, or the text alone under /v2.
struct HttpError {
  int status = 400;
  std::string message;  ///< for the client: no paths, nothing of others
  std::string param;    ///< the parameter at fault; empty: null
  std::string code;     ///< OpenAI's code, as "model_not_found"; empty: null
  Fields fields;        ///< Retry-After, Allow, ...
};

[[nodiscard]] HttpError http_error(int status, std::string message,
                                   std::string param = {},
                                   std::string code = {});

/// "Not Found" of 404.
[[nodiscard]] std::string_view reason(int status);

/// Reads the %XX of `text`; false for a bad one or a NUL.
[[nodiscard]] bool percent_decode(std::string_view text, std::string& out);

/// Whether two words are the same but for the case of ASCII letters.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b);
/// Without blanks and tabs at its ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace penstock::serve
