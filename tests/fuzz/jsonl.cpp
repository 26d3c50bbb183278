// A line of JSON: a request of ours or of OpenAI's.
#include "jsonl.h"

#include "fuzz.h"

void penstock::fuzz::take(std::string_view bytes) {
  Request request;
  std::optional<run::OpenAiCall> call;
  run::parse_jsonl(std::string(bytes), request, call);
}
