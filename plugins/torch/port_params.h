// The ports of a model whose file does not say them, from the pipeline file.
#pragma once

#include <string>
#include <vector>

#include "penstock/model_head.h"

namespace penstock::pt2 {

/// Adds inputs "x: f32[B,3]" and outputs "-> y: f32[B,5]" to the head. Throws
/// Error(kData) where one is not written so.
void add_ports(const std::vector<std::string>& texts, ModelHead& head);

}  // namespace penstock::pt2
