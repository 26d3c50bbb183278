// The notes of this plugin.
#pragma once

#include "penstock/notes.h"

namespace penstock::text {

/// Where in its file the item's text begins, from 1.
inline constexpr Note<std::int64_t> kLine{"line"};

}  // namespace penstock::text
