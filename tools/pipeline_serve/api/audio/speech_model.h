// A served pipeline that writes down speech, as the audio routes look at it.
#pragma once

#include <map>
#include <string>

#include "pipeline_serve/http/message.h"
#include "pipeline_serve/serving/models.h"

namespace penstock::serve {

/// What a client asks of a transcript.
struct SpeechOptions {
  std::string format = "text";  ///< text, srt or vtt
  std::string language;         ///< empty: the pipeline's
  std::string temperature;      ///< empty: the pipeline's
  bool is_translation = false;
  bool has_details = false;  ///< tokens and places of the segments
};

class SpeechModel {
 public:
  /// HttpError 404 for a model that is not served, 400 for one that does not
  /// write down speech.
  SpeechModel(const Models& models, const std::string& name);

  [[nodiscard]] Served& served() const { return *served_; }
  /// The input that takes the sound.
  [[nodiscard]] const std::string& input() const { return input_; }
  /// As the pipeline's options. Throws HttpError for what it does not take.
  [[nodiscard]] std::map<std::string, Raw> options(
      const SpeechOptions& wanted) const;
  /// The language of a transcript, where the client names none.
  [[nodiscard]] std::string language() const;
  /// How a request ended, where not well.
  [[nodiscard]] HttpError error(const Report& report,
                                const SpeechOptions& wanted) const;

 private:
  Use served_;
  const PipelineFile* file_ = nullptr;
  std::string input_;
};

}  // namespace penstock::serve
