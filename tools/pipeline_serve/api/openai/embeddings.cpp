// /v1/embeddings: a vector for each text.
#include <algorithm>
#include <memory>
#include <utility>

#include "penstock/json.h"
#include "pipeline_serve/api/openai/body.h"
#include "pipeline_serve/api/openai/generation.h"
#include "pipeline_serve/api/openai/vectors.h"
#include "pipeline_serve/api/routes.h"
#include "pipeline_serve/api/uploads/gathered.h"
#include "pipeline_serve/serving/together.h"

namespace penstock::serve {
namespace {

constexpr std::size_t kMostInputs = 2048;
constexpr std::int64_t kMostDimensions = 1 << 20;
const Members kMembers{
    .own = {"model", "input", "encoding_format", "dimensions"}, .options = {}};

struct Wanted {
  std::vector<Request> requests;
  bool is_base64 = false;
  std::optional<std::size_t> dimensions;
};

bool gives_vectors(const CompositionFile& file) {
  const auto& ports = file.steps.back().file.postprocess.spec->inputs;
  return file.is_one() &&
         std::any_of(ports.begin(), ports.end(),
                     [](const Port& port) { return port.name == "embedding"; });
}

Use model_of(const Api& api, const Body& body) {
  const std::string name = reading([&] { return body.at("model").text(); });
  Use served = model_named(api.models, name);
  if (gives_vectors(served->file())) return served;
  throw HttpError(
      bad_request(str("the model '", name, "' gives no embeddings"), "model"));
}

bool is_ids(const JsonView& value) {
  return value.is_array() && !value.items().empty() &&
         value.items().front().is_integer();
}

Request request_of(const JsonView& value) {
  Request request;
  if (value.is_text()) {
    if (value.text().empty()) value.fail("is empty");
    request.inputs["text"] = value.text();
    return request;
  }
  if (!is_ids(value)) value.fail("is neither a text nor a list of token ids");
  for (const JsonView& id : value.items()) (void)id.integer();
  request.inputs["token_ids"] = Json{penstock::json_text(value.value())};
  return request;
}

std::vector<Request> requests_of(const JsonView& input) {
  std::vector<Request> out;
  if (!input.is_array() || is_ids(input)) {
    out.push_back(request_of(input));
    return out;
  }
  const auto items = input.items();
  if (items.empty()) input.fail("is empty");
  if (items.size() > kMostInputs) {
    input.fail(
        str("has ", items.size(), " entries; the most is ", kMostInputs));
  }
  const bool is_text = items.front().is_text();
  for (const JsonView& item : items) {
    if (item.is_text() != is_text)
      item.fail("is of another kind than the first");
    out.push_back(request_of(item));
  }
  return out;
}

Wanted wanted_of(const Body& body) {
  Wanted out;
  const std::string format = body.text("encoding_format", "float");
  if (format != "float" && format != "base64") {
    throw HttpError(bad_request("encoding_format is neither float nor base64",
                                "encoding_format"));
  }
  out.is_base64 = format == "base64";
  if (const auto size = body.integer("dimensions", 1, kMostDimensions)) {
    out.dimensions = static_cast<std::size_t>(*size);
  }
  out.requests = reading([&] { return requests_of(body.at("input")); });
  return out;
}

/// One HTTP request's inputs. As many run at a time as the pipeline takes: when
/// one is over the next is submitted, so that a long list needs no more room in
/// the queue, and no call of submit() ever waits.
class Batch final : public std::enable_shared_from_this<Batch> {
 public:
  Batch(Use served, Wanted wanted, Call call)
      : served_(std::move(served)),
        wanted_(std::move(wanted)),
        call_(std::move(call)),
        vectors_(wanted_.requests.size()) {}

  void begin() {
    const auto count = std::min(served_->slots(), std::ssize(vectors_));
    ticket_ = served_->admit(call_, count);
    const auto more = served_->runner().more_coming();
    try {
      for (std::int64_t i = 0; i < count; ++i) submit_next();
    } catch (...) {
      if (together_.end()) throw;  // else the answer was given already
    }
  }

 private:
  void submit_next() {
    std::size_t index = vectors_.size();
    together_.unless_over([&] {
      if (next_ < vectors_.size()) index = next_++;
    });
    if (index == vectors_.size()) return;
    Request request = std::move(wanted_.requests[index]);
    if (vectors_.size() > 1) request.id = str(call_.request.id, "-", index);
    const auto done = [self = shared_from_this(), index](
                          const Request&, const Report& report,
                          const Gathered::Branches& branches) {
      self->take(index, report, branches);
    };
    together_.add(served_->submit(std::move(request),
                                  std::make_shared<Gathered>(call_, done),
                                  ticket_, call_));
  }

  void take(std::size_t index, const Report& report,
            const Gathered::Branches& branches) {
    try {
      keep(index, report, branches);
      submit_next();
    } catch (...) {
      if (together_.end()) throw;
      return;
    }
    bool has_all = false;
    together_.unless_over([&] { has_all = count_ == vectors_.size(); });
    if (has_all && together_.end()) answer();
  }

  void keep(std::size_t index, const Report& report,
            const Gathered::Branches& branches) {
    if (report.error || report.ending != Ending::kWhole) {
      throw HttpError(
          error_of(report, {.prompt = "input"}, /*context_length=*/0));
    }
    auto vector = numbers_of(branches.at(0).json.at(0));
    if (wanted_.dimensions) {
      if (*wanted_.dimensions > vector.size()) {
        throw HttpError(bad_request(
            str("dimensions is ", *wanted_.dimensions, ", but '",
                served_->name(), "' gives vectors of ", vector.size()),
            "dimensions"));
      }
      vector = cut_vector(std::move(vector), *wanted_.dimensions);
    }
    together_.unless_over([&] {
      vectors_[index] = std::move(vector);
      prompt_tokens_ += report.prompt_tokens;
      ++count_;
    });
  }

  void answer() {
    ticket_.reset();  // before the client knows, who may come again at once
    OutJson data = OutJson::array();
    for (std::size_t i = 0; i < vectors_.size(); ++i) {
      OutJson vector = wanted_.is_base64 ? OutJson(base64_of(vectors_[i]))
                                         : number_list(vectors_[i]);
      data.push_back({{"object", "embedding"},
                      {"index", i},
                      {"embedding", std::move(vector)}});
    }
    const OutJson body{{"object", "list"},
                       {"data", std::move(data)},
                       {"model", served_->name()},
                       {"usage",
                        {{"prompt_tokens", prompt_tokens_},
                         {"total_tokens", prompt_tokens_}}}};
    Answer answer;
    answer.body = json_text(body);
    call_.reply->send(std::move(answer));
  }

  Use served_;
  Wanted wanted_;
  Call call_;
  Together together_;
  Served::Ticket ticket_;
  std::vector<std::vector<float>> vectors_;
  std::size_t next_ = 0, count_ = 0;
  std::int64_t prompt_tokens_ = 0;
};

void embed(const Api& api, Call call) {
  const Body body(call.request.body);
  check_members(body, kMembers);
  Use served = model_of(api, body);
  Wanted wanted = wanted_of(body);
  std::string().swap(call.request.body);
  std::make_shared<Batch>(std::move(served), std::move(wanted), std::move(call))
      ->begin();
}

}  // namespace

void add_embeddings(const Api& api) {
  api.router.add(
      {.method = "POST",
       .pattern = "/v1/embeddings",
       .handler = [api](Call call) { embed(api, std::move(call)); }});
}

}  // namespace penstock::serve
