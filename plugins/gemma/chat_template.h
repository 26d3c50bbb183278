// The template that makes one prompt of a conversation: the model's own, that
// of a file, or Gemma's.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "gemma/jinja/template.h"
#include "penstock/json.h"

namespace penstock::gemma {

class ChatTemplate {
 public:
  /// `named`: "gemma", a file, or "auto": of the model's GGUF file or folder,
  /// and Gemma's where it has none. Throws Error(kNotFound or kData).
  ChatTemplate(const std::filesystem::path& model, const std::string& named);

  struct Conversation {
    const JsonValue& messages;
    const JsonValue* tools = nullptr;
    std::string system;  ///< said first where no message says it; "": nothing
    std::string bos, eos;
    bool has_prompt = true;  ///< end where the answer begins
  };
  /// Throws Error(kData) for messages that are none, and what the template
  /// refuses.
  [[nodiscard]] jinja::Text write(const Conversation& conversation) const;
  [[nodiscard]] const std::string& source() const { return source_; }
  /// Whether it says what tools there are.
  [[nodiscard]] bool knows_tools() const;

 private:
  std::string source_;
  std::unique_ptr<const jinja::Template> template_;
};

/// One message of the user.
[[nodiscard]] JsonValue user_message(const std::string& text);

}  // namespace penstock::gemma
