// What the two sides of a probe agree on.
#pragma once

namespace penstock::inspect {

/// The descriptors the child writes its answer to, and what a person should
/// know of the plugin beside it, a line each.
constexpr int kResult = 3;
constexpr int kWarnings = 4;

/// What opening a plugin may cost the processor; libtorch itself takes 1 s.
constexpr int kMostSeconds = 5;

}  // namespace penstock::inspect
