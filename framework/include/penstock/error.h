// The one exception type that leaves the framework: a code that becomes the
// exit code of a program, a text for a person, and where it happened.
//
// Throw it where the fault is found, with what was wrong, what was expected
// and what to do. Context (stage, request, pipeline) is added while unwinding,
// in one place: the runtime call that entered the stage.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/export.h"

namespace penstock {

/// Kinds of failure; the values are the exit codes of the programs.
enum class Code {
  kUsage = 2,         ///< the command line is wrong
  kData = 65,         ///< a pipeline file, model file or input is wrong
  kNotFound = 66,     ///< an input or a model is missing
  kUnavailable = 69,  ///< a device is not there
  kInternal = 70,     ///< a plugin or the framework is at fault
  kRetry = 75,        ///< may work later: network, memory, time
  kCancelled = 130,   ///< somebody asked to stop
};

/// A short lower-case word for JSON and logs, such as "data".
[[nodiscard]] PENSTOCK_API std::string_view to_string(Code code);

/// Where an error happened: one of the things that a run is made of.
struct PENSTOCK_API Place {
  enum class Kind {
    kStage,    ///< name: "decode", detail: "core.sample"
    kRequest,  ///< name: its id
    kStep,     ///< name: a composition's step
    kInput,    ///< name: "stdin, line 3"
    kSink,     ///< whoever receives results; no name
    kOther,    ///< name: the place as it is shown
  };
  Kind kind = Kind::kOther;
  std::string name;
  std::string detail;

  [[nodiscard]] static Place request(const std::string& id);
  [[nodiscard]] static Place step(const std::string& name);
  [[nodiscard]] static Place input(const std::string& name);
  /// "stage 'decode' (core.sample)", "request 'a'", ...
  [[nodiscard]] std::string text() const;
};

class PENSTOCK_API Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& text);
  ~Error() override;

  [[nodiscard]] Code code() const { return code_; }
  /// The text as thrown, then one line "  in ..." per added place.
  [[nodiscard]] const char* what() const noexcept override;
  /// The first line alone: what was wrong.
  [[nodiscard]] std::string text() const;
  /// Innermost first.
  [[nodiscard]] const std::vector<Place>& places() const { return places_; }
  /// what() without the places of a kind, for whoever names those himself.
  [[nodiscard]] std::string text_without(Place::Kind kind) const;
  /// Adds a place around those there are: `throw error.in(Place::step(name))`.
  Error& in(Place place);
  /// A place of another kind, as it is to be shown.
  Error& in(const std::string& place);

 private:
  Code code_;
  std::vector<Place> places_;
  std::string full_;
};

/// Thrown by calls that wait, when their request was cancelled.
class PENSTOCK_API Cancelled : public Error {
 public:
  Cancelled();
  ~Cancelled() override;
};

/// Joins its arguments with operator<<: the formatter of error texts.
template <class... Parts>
[[nodiscard]] std::string str(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace penstock
