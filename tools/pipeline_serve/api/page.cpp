// The page at /: its files stand in page/, and nothing of another host is in
// them. What the page asks for then goes by the same routes as everybody's.
#include <string>
#include <utility>

#include "pipeline_serve/api/page_files.h"
#include "pipeline_serve/api/routes.h"

namespace penstock::serve {
namespace {

/// Only what came from here runs, and it talks to nobody else. Trusted types,
/// of which there are none: no text becomes HTML, not even by mistake.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data: blob:; media-src blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

const char* type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  return "image/svg+xml";
}

Answer answer_with(const PageFile& file) {
  Answer answer;
  answer.type = type_of(file.name);
  answer.body = file.bytes;
  answer.fields.add("Content-Security-Policy", kPolicy);
  answer.fields.add("Referrer-Policy", "no-referrer");
  answer.fields.add("Permissions-Policy",
                    "microphone=(self), camera=(), geolocation=()");
  answer.fields.add("Cross-Origin-Opener-Policy", "same-origin");
  answer.fields.add("Cross-Origin-Resource-Policy", "same-origin");
  answer.fields.add("X-Content-Type-Options", "nosniff");
  answer.fields.add("Cache-Control", "no-cache");
  return answer;
}

}  // namespace

void add_page(const Api& api) {
  for (const PageFile& file : page_files()) {
    const bool is_index = file.name == "index.html";
    api.router.add(
        {.method = "GET",
         .pattern = is_index ? "/" : "/" + std::string(file.name),
         .handler =
             [file](const Call& call) { call.reply->send(answer_with(file)); },
         .is_open = true,
         .is_quick = true});
  }
}

}  // namespace penstock::serve
