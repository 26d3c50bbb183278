// Listeners that write answers of OpenAI's text routes: whole, or in chunks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pipeline_serve/api/openai/generation.h"
#include "pipeline_serve/api/openai/streaming.h"

namespace penstock::serve {

/// A prefix and 24 letters and digits that no other answer has.
[[nodiscard]] std::string new_id(const std::string& prefix);
/// Seconds since the epoch.
[[nodiscard]] std::int64_t now_s();
/// As completions and chat have it.
[[nodiscard]] OutJson usage_json(const Usage& usage);

struct Choice {
  std::string text;
  TokenList tokens;
  std::string reason;
  OutJson calls = OutJson::array();  ///< of tools
};

/// Sends one JSON when everything is there.
class WholeAnswer final : public Listener {
 public:
  using Shape =
      std::function<OutJson(const std::vector<Choice>&, const Usage&)>;
  WholeAnswer(std::shared_ptr<Reply> reply, std::string path,
              std::size_t choices, Shape shape)
      : reply_(std::move(reply)),
        path_(std::move(path)),
        choices_(choices),
        shape_(std::move(shape)) {}

  void more(std::size_t choice, const std::string& text,
            const TokenList& tokens) override;
  void called(std::size_t choice, const OutJson& call) override;
  void over(std::size_t choice, const std::string& reason) override;
  void done(const Usage& usage) override;
  void failed(const HttpError& error) override;

 private:
  std::shared_ptr<Reply> reply_;
  std::string path_;
  std::vector<Choice> choices_;
  Shape shape_;
};

/// Sends chunks as they come, then [DONE].
class ChunkedAnswer final : public Listener {
 public:
  // NOLINTNEXTLINE(bugprone-exception-escape): json's move only asserts
  struct Shape {
    OutJson head;  ///< what all chunks begin with: id, object, created, model
    /// A choice of a chunk; `is_first`: the first of that choice.
    std::function<OutJson(std::size_t choice, const std::string& text,
                          const TokenList& tokens, bool is_first)>
        more;
    std::function<OutJson(std::size_t choice, const std::string& reason,
                          bool is_first)>
        over;
    /// Of a call; null where there are none. `number`: of the choice's calls.
    std::function<OutJson(std::size_t choice, std::size_t number,
                          const OutJson& call, bool is_first)>
        called = nullptr;
    /// More of that call.
    std::function<OutJson(std::size_t choice, std::size_t number,
                          const OutJson& more)>
        called_more = nullptr;
    bool has_usage = false;  ///< a last chunk with it, null in the others
  };
  ChunkedAnswer(std::shared_ptr<Reply> reply, std::string path, Shape shape)
      : reply_(std::move(reply)),
        events_(reply_),
        path_(std::move(path)),
        shape_(std::move(shape)) {}

  void more(std::size_t choice, const std::string& text,
            const TokenList& tokens) override;
  void called(std::size_t choice, const OutJson& call) override;
  void called_more(std::size_t choice, const OutJson& more) override;
  void over(std::size_t choice, const std::string& reason) override;
  void done(const Usage& usage) override;
  void failed(const HttpError& error) override;

 private:
  void send(OutJson choices, const OutJson& usage);

  std::shared_ptr<Reply> reply_;
  EventStream events_;
  std::string path_;
  Shape shape_;
  std::set<std::size_t> begun_;
  std::map<std::size_t, std::size_t> calls_;  ///< of each choice, how many
};

/// A choice as a whole answer has it.
using ChoiceShape = std::function<OutJson(std::size_t index, const Choice&)>;
/// Whoever writes the answer that the body asked for: whole or in chunks, both
/// with the chunks' head.
[[nodiscard]] std::shared_ptr<Listener> listener_of(
    const Call& call, const Streaming& streaming, std::size_t choices,
    ChoiceShape whole, ChunkedAnswer::Shape chunks);

}  // namespace penstock::serve
