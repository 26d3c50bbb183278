// Notes of this plugin.
#pragma once

#include "penstock/notes.h"

namespace penstock::diffusion {

/// Of the noise that a sample was made of.
inline constexpr Note<std::int64_t> kSeed{"seed"};
/// Of a result: how many of the steps were done, and how many there are.
inline constexpr Note<std::int64_t> kStep{"step"};
inline constexpr Note<std::int64_t> kSteps{"steps"};

}  // namespace penstock::diffusion
