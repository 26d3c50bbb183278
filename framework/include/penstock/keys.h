// The keys of every note and fact in this project: name, type and meaning.
// Who makes and who needs each is declared by the stages and shown by
// pipeline-inspect.
#pragma once

#include "penstock/notes.h"

namespace penstock {

// Text

/// The item's text, where a stage made one of the request's; see text_of().
inline constexpr Note<std::string> kText{"text"};
/// The spelling of each token, a NUL after each.
inline constexpr Note<std::string> kPieces{"pieces"};
/// Position of the first token that is scored.
inline constexpr Note<std::int64_t> kScoredFrom{"scored_from"};
/// Number of tokens that were cut off the prompt.
inline constexpr Note<std::int64_t> kTruncated{"truncated"};
/// Number of bytes that were cut off the text before it became tokens.
inline constexpr Note<std::int64_t> kTruncatedBytes{"truncated_bytes"};

// Sound

/// Samples a second of the waveform.
inline constexpr Note<std::int64_t> kSampleRate{"sample_rate"};
/// Seconds of the recording before the waveform begins; absent: 0.
inline constexpr Note<double> kAudioBegin{"audio_begin"};
/// Length of the waveform in seconds.
inline constexpr Note<double> kAudioSeconds{"audio_seconds"};
/// Where a gate found speech in the waveform: of each stretch the first sample
/// and the one behind its last.
inline constexpr Note<Tokens> kSpeech{"speech"};

// Pictures and films

/// The file's name, as the request has it.
inline constexpr Note<std::string> kPath{"path"};
/// Pixels of the whole picture, before it was resized.
inline constexpr Note<std::int64_t> kWidth{"width"};
inline constexpr Note<std::int64_t> kHeight{"height"};
/// Where the pixels that a model sees come from: left, top, width and height of
/// a part of the whole picture, then those of where it lies in the pixels; a
/// crop may have cut it there.
inline constexpr Note<Tokens> kSeen{"seen"};
/// Number of the view, where a picture is seen in several: 0 is the whole.
inline constexpr Note<std::int64_t> kCrop{"crop"};
/// Seconds on the film's clock when the frame is on screen.
inline constexpr Note<double> kTime{"time"};
/// Number of the frame in the film, from 0.
inline constexpr Note<std::int64_t> kFrame{"frame"};
/// Numbers of the frames of a clip.
inline constexpr Note<Tokens> kFrames{"frames"};
/// Length of the film in seconds, as its file states it; 0: unknown.
inline constexpr Note<double> kVideoSeconds{"video_seconds"};

// What a decoder found; notes of its results

/// How sure it is of it, from 0 to 1.
inline constexpr Note<double> kScore{"score"};
/// Where it found nothing: the best score that there was.
inline constexpr Note<double> kBestScore{"best_score"};

// How a speech decoder judged a window; notes of its results

/// Mean log-probability of the tokens.
inline constexpr Note<double> kAverageLogProbability{"average_log_probability"};
/// Probability that nobody speaks.
inline constexpr Note<double> kNoSpeech{"no_speech"};
/// Length of the text divided by its length under zlib.
inline constexpr Note<double> kCompressionRatio{"compression_ratio"};
/// Temperature of the attempt that was taken.
inline constexpr Note<double> kTemperature{"temperature"};

// The model

/// Most tokens of a sequence, prompt and answer.
inline constexpr Fact<std::int64_t> kContextLength{"context_length"};
/// Number of token ids: they are below it.
inline constexpr Fact<std::int64_t> kVocabSize{"vocab_size"};
/// Token ids that end an answer.
inline constexpr Fact<Tokens> kEosIds{"eos_ids"};
/// What it computes in: "fp32", "bf16", "int8".
inline constexpr Fact<std::string> kDtype{"dtype"};
/// The implementation that runs: "native", "reference".
inline constexpr Fact<std::string> kEngine{"engine"};
/// Frames of features that a speech model sees at once.
inline constexpr Fact<std::int64_t> kWindowFrames{"window_frames"};

}  // namespace penstock
