// Names of the tensors that stages of this project hand on, where one plugin
// makes what another reads. As ports declare them, with dtype and dims.
#pragma once

namespace penstock::tensors {

// What a model sees

/// Of packed batches: i64[T], the step's tokens end to end.
inline constexpr const char* kTokens = "tokens";
/// Of padded batches: i64[B,T].
inline constexpr const char* kInputIds = "input_ids";
/// Beside it, i64[B,T]: 1 where a token is, 0 where padding is.
inline constexpr const char* kAttentionMask = "attention_mask";
/// A picture: f32[C,H,W].
inline constexpr const char* kPixels = "pixels";
/// Sound: f32[T], with the note kSampleRate.
inline constexpr const char* kWaveform = "waveform";
/// A spectrogram: f32[M,F].
inline constexpr const char* kFeatures = "features";

// What it answers, and what becomes of that

/// Scores of classes: f32[B,K].
inline constexpr const char* kLogits = "logits";
/// The best of them, best first: i64[N].
inline constexpr const char* kClasses = "classes";
/// Their scores: f32[N].
inline constexpr const char* kClassScores = "scores";
/// Places in a picture: f32[N,4] as left, top, right, bottom.
inline constexpr const char* kBoxes = "boxes";
/// Beside them, of what is turned: f32[N,8], x and y of its corners clockwise
/// from the upper left.
inline constexpr const char* kCorners = "corners";
/// The class of each pixel of a picture: u8[H,W].
inline constexpr const char* kMask = "mask";
/// A vector for the item: f32[D].
inline constexpr const char* kEmbedding = "embedding";
/// Of n new tokens, i64[n,1+k]: each token's id, then those of the k best; -1
/// where there are fewer.
inline constexpr const char* kLogprobIds = "logprobs.ids";
/// Their log-probabilities, f32[n,1+k].
inline constexpr const char* kLogprobValues = "logprobs.values";
/// The same of the tokens of the prompt, from its second.
inline constexpr const char* kPromptLogprobIds = "prompt_logprobs.ids";
inline constexpr const char* kPromptLogprobValues = "prompt_logprobs.values";

}  // namespace penstock::tensors
