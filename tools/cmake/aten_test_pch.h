// Precompiled for tests that use tensors.
#include "cmake/aten_pch.h"
#include "cmake/test_pch.h"
