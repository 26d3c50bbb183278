// The objects of /v1/responses: a response, its message, its text, its calls.
#pragma once

#include <optional>
#include <string>

#include "pipeline_serve/api/openai/answers.h"

namespace penstock::serve {

/// One response: what it was asked for, and its names.
struct ResponseFacts {
  std::string id, message_id;
  std::int64_t created = 0;
  std::string model;
  OutJson asked;  ///< fields that say how it was asked
};

/// The only part of the message.
[[nodiscard]] OutJson text_part(const std::string& text,
                                const TokenList& tokens);
[[nodiscard]] OutJson message_item(const ResponseFacts& facts,
                                   const std::string& status,
                                   const OutJson& content);
/// Of a call as a chat has it: {id, type, function: {name, arguments}}.
[[nodiscard]] OutJson call_item(const OutJson& call);
/// Without output and usage yet.
[[nodiscard]] OutJson response_json(const ResponseFacts& facts,
                                    const std::string& status);
/// With what was written: the message, unless there is none beside calls, and
/// the calls; incomplete where the limit cut it.
[[nodiscard]] OutJson whole_response(const ResponseFacts& facts,
                                     const Choice& choice, const Usage& usage);
/// Of a token list, as `logprobs` of a text.
[[nodiscard]] OutJson response_logprobs(const TokenList& tokens);

/// Sends the events of a response as it is written.
class ResponseEvents final : public Listener {
 public:
  ResponseEvents(std::shared_ptr<Reply> reply, std::string path,
                 ResponseFacts facts)
      : reply_(std::move(reply)),
        events_(reply_),
        path_(std::move(path)),
        facts_(std::move(facts)) {}

  void more(std::size_t choice, const std::string& text,
            const TokenList& tokens) override;
  void called(std::size_t choice, const OutJson& call) override;
  void over(std::size_t choice, const std::string& reason) override;
  void done(const Usage& usage) override;
  void failed(const HttpError& error) override;

 private:
  void begin();
  void begin_message();
  void end_message(const std::string& status);
  void send(const std::string& type, OutJson fields);
  /// With item, output and content named.
  void send_of_part(const std::string& type, OutJson fields);

  std::shared_ptr<Reply> reply_;
  EventStream events_;
  std::string path_;
  ResponseFacts facts_;
  Choice choice_;
  OutJson output_ = OutJson::array();     ///< items that are whole
  std::optional<std::size_t> message_{};  ///< its place among them
  std::int64_t number_ = 0;
};

}  // namespace penstock::serve
