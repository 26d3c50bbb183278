// Edits: single scores that a request wants changed before the sampler looks at
// them, whatever the reason: a bias, a penalty for tokens already there, a ban.
// Everything here is known before the step, so that only those scores and the
// best few are asked of the model.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/candidate.h"

namespace penstock::core {

struct Edit {
  float bias = 0;
  bool is_seen = false;      ///< stands in the prompt or the answer
  std::int64_t written = 0;  ///< how often it stands in the answer
  bool is_banned = false;
};
/// By token id.
using Edits = std::map<std::int64_t, Edit>;

struct Penalties {
  double repetition = 1;  ///< of tokens seen, prompt too; as transformers
  double frequency = 0;   ///< for each time in the answer; as OpenAI
  double presence = 0;    ///< once for being in the answer; as OpenAI
};

/// In transformers' order: bias, repetition, (frequency, presence,) bans; in
/// its precision.
[[nodiscard]] float edited(float score, const Edit& edit,
                           const Penalties& penalties);

void apply(std::vector<Candidate>& candidates, const Edits& edits,
           const Penalties& penalties);

}  // namespace penstock::core
