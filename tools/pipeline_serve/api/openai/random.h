// Random numbers that nobody can guess: names of answers, seeds.
#pragma once

#include <random>

namespace penstock::serve {

/// Of the calling thread.
[[nodiscard]] std::mt19937_64& random_engine();

}  // namespace penstock::serve
