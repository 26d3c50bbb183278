// CallReader: the calls in what a model writes, as it comes. How the text is
// cut into pieces changes nothing; what only looks like a call stays text.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/tools/arguments_end.h"
#include "lib/tools/call_syntax.h"

namespace penstock::tools {

struct ToolCall {
  std::string name;
  std::string arguments;  ///< a JSON object
};

/// More of a call.
struct CallPart {
  bool is_begin = false;
  std::string name = {};       ///< whole, of the first part
  std::string arguments = {};  ///< what follows of the JSON object
};

/// How calls are told.
enum class CallsCome {
  kWhole,
  /// As soon as a name is known. What opens like a call then is one, however
  /// it ends. Arguments that are not written as JSON come at once.
  kInParts,
};

/// Of one answer.
class CallReader {
 public:
  explicit CallReader(CallSyntax syntax, CallsCome come = CallsCome::kWhole)
      : syntax_(std::move(syntax)), in_parts_(come == CallsCome::kInParts) {}

  struct Found {
    std::string text;  ///< without the white space beside calls
    std::vector<ToolCall> calls;
    std::vector<CallPart> parts;  ///< instead of calls
  };
  /// What is known now that `text` follows.
  [[nodiscard]] Found add(const std::string& text);
  /// The answer is over: what was held back. A call that is not whole is text.
  [[nodiscard]] Found finish();

 private:
  enum class Part { kText, kName, kArguments, kClose };
  /// Each looks at the rest: false where more is needed.
  bool read(Found& found);
  bool read_text(Found& found);
  bool read_name(Found& found);
  bool read_arguments(Found& found);
  bool read_close(Found& found);
  void begin_arguments(Found& found);
  /// Of the rest, as JSON; whether they were taken as they are.
  void take_arguments(std::size_t bytes, Found& found);
  /// A call was told: what follows is behind it.
  void end_call();
  /// It is no call: what opened it is text.
  void give_up(Found& found);
  void take(std::size_t bytes);
  void show(const std::string& text, Found& found);

  CallSyntax syntax_;
  bool in_parts_;
  Part part_ = Part::kText;
  std::string rest_;     ///< not looked at yet
  std::string taken_;    ///< of the call that is being read, as it was written
  std::string space_;    ///< held back: perhaps a call follows
  std::string between_;  ///< white space before a call, behind other text
  bool is_behind_call_ = false, has_text_ = false;
  ToolCall call_;
  std::optional<ArgumentsEnd> end_;
};

}  // namespace penstock::tools
