// What the two sides of a probe agree on.
#pragma once

namespace penstock::inspect {

/// The descriptor the child writes its answer to.
constexpr int kResult = 3;

}  // namespace penstock::inspect
