// Marks what libpenstock gives to plugins and programs; all else is hidden.
// Every public header includes it, so it also refuses compilers' settings that
// the others cannot be read with.
#pragma once

#include <version>

#if __cplusplus < 202002L
#error "Penstock's headers need C++20 or newer: compile with -std=c++20"
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
#error "Penstock needs the new ABI of libstdc++: drop _GLIBCXX_USE_CXX11_ABI=0"
#endif

#define PENSTOCK_API __attribute__((visibility("default")))
