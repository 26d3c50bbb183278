// A served pipeline that writes text, as the text routes look at it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline_serve/serving/models.h"

namespace penstock::serve {

class TextModel {
 public:
  /// HttpError 404 for a model that is not served, and 400 (param: model) for
  /// one that does not write text to a text, or, for a chat, reads no
  /// conversations.
  TextModel(const Models& models, const std::string& name, bool must_chat);

  [[nodiscard]] Served& served() const { return *served_; }
  [[nodiscard]] const std::string& name() const { return served_->name(); }
  /// The param that a request's option of that name sets; null: none.
  [[nodiscard]] const ParamSpec* option(const std::string& name) const;
  /// Its value where a request says nothing.
  [[nodiscard]] std::optional<ParamValue> setting(
      const std::string& name) const;
  /// Whether the pipeline's file, or --set, says it.
  [[nodiscard]] bool is_written(const std::string& name) const;
  /// Options that say whether a text is a conversation.
  [[nodiscard]] const std::vector<std::string>& chat_options() const {
    return chat_options_;
  }
  /// Most tokens of prompt and answer; 0: not known. It must be ready.
  [[nodiscard]] std::int64_t context_length() const;
  /// Token ids are below it; 0: not known. It must be ready.
  [[nodiscard]] std::int64_t vocabulary() const;

 private:
  Use served_;
  const PipelineFile* file_ = nullptr;
  std::vector<std::string> chat_options_;
};

}  // namespace penstock::serve
