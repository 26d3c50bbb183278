// A line of JSON: a request of ours or of OpenAI's.
#include "pipeline_run/input/jsonl.h"

#include "tests/fuzz/fuzz.h"

void penstock::fuzz::take(std::string_view bytes) {
  Request request;
  std::optional<run::OpenAiCall> call;
  run::parse_jsonl(std::string(bytes), request, call);
}
