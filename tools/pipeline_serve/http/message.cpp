#include "pipeline_serve/http/message.h"

#include <algorithm>
#include <array>

namespace penstock::serve {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; }

/// 0 to 15; -1: no hexadecimal digit.
int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct Status {
  int number;
  const char* reason;
};
constexpr std::array kStatuses{Status{100, "Continue"},
                               Status{200, "OK"},
                               Status{204, "No Content"},
                               Status{400, "Bad Request"},
                               Status{401, "Unauthorized"},
                               Status{403, "Forbidden"},
                               Status{404, "Not Found"},
                               Status{405, "Method Not Allowed"},
                               Status{408, "Request Timeout"},
                               Status{413, "Content Too Large"},
                               Status{414, "URI Too Long"},
                               Status{415, "Unsupported Media Type"},
                               Status{417, "Expectation Failed"},
                               Status{421, "Misdirected Request"},
                               Status{429, "Too Many Requests"},
                               Status{431, "Request Header Fields Too Large"},
                               Status{500, "Internal Server Error"},
                               Status{501, "Not Implemented"},
                               Status{503, "Service Unavailable"},
                               Status{504, "Gateway Timeout"},
                               Status{505, "HTTP Version Not Supported"}};

}  // namespace

void Fields::add(std::string name, std::string value) {
  all_.emplace_back(std::move(name), std::move(value));
}

std::string_view Fields::get(std::string_view name) const {
  for (const auto& [key, value] : all_) {
    if (same_word(key, name)) return value;
  }
  return {};
}

bool Fields::has(std::string_view name) const {
  return std::any_of(all_.begin(), all_.end(), [&](const auto& field) {
    return same_word(field.first, name);
  });
}

HttpError http_error(int status, std::string message, std::string param,
                     std::string code) {
  return {.status = status,
          .message = std::move(message),
          .param = std::move(param),
          .code = std::move(code),
          .fields = {}};
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string_view reason(int status) {
  for (const Status& each : kStatuses) {
    if (each.number == status) return each.reason;
  }
  return "Unknown";
}

bool percent_decode(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high | low) == 0) return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

}  // namespace penstock::serve
