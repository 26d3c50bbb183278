// Precompiled for tests that use tensors.
#include "aten_pch.h"
#include "test_pch.h"
