// What a program of torch.export may do when it runs. Its runtime calls any
// operator that is registered, also those that write files.
#pragma once

#include "penstock/model_head.h"

namespace penstock::pt2 {

/// Throws Error(kData) that names an operator which is not of aten, or which
/// reaches files and is not trusted, and its node.
void check_operators(const ModelHead& head, bool is_trusted);

}  // namespace penstock::pt2
