// The facts on which a plugin and the program that opens it must agree, as a
// text the preprocessor composes: `key=value` pairs joined by `;`.
//
// PENSTOCK_PLUGIN writes the text into an ELF note of the library, from where
// it is read without running any of the library, and into PluginEntry.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "penstock/export.h"
#include "penstock/sdk_version.h"

#if __has_include(<torch/headeronly/version.h>)
#include <torch/headeronly/version.h>
#elif __has_include(<torch/csrc/api/include/torch/version.h>)
#include <torch/csrc/api/include/torch/version.h>
#else
#error "penstock/abi.h needs the headers of libtorch on the include path"
#endif

// The assembler needs the text as a literal: no constexpr function can give it.
// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define PENSTOCK_QUOTE_AS_IS(text) #text
#define PENSTOCK_QUOTE(text) PENSTOCK_QUOTE_AS_IS(text)

#ifdef _LIBCPP_VERSION
#define PENSTOCK_ABI_LIBRARY "stdlib=libc++;cxx11_abi=none;"
#else
#define PENSTOCK_ABI_LIBRARY \
  "stdlib=libstdc++;cxx11_abi=" PENSTOCK_QUOTE(_GLIBCXX_USE_CXX11_ABI) ";"
#endif

#ifdef _GLIBCXX_DEBUG
#define PENSTOCK_ABI_CONTAINERS "containers=debug;"
#else
#define PENSTOCK_ABI_CONTAINERS "containers=plain;"
#endif

#ifdef __has_feature
#define PENSTOCK_ABI_HAS(feature) __has_feature(feature)
#else
#define PENSTOCK_ABI_HAS(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || PENSTOCK_ABI_HAS(address_sanitizer)
#define PENSTOCK_ABI_SANITIZER "sanitizer=address;"
#elif defined(__SANITIZE_THREAD__) || PENSTOCK_ABI_HAS(thread_sanitizer)
#define PENSTOCK_ABI_SANITIZER "sanitizer=thread;"
#else
#define PENSTOCK_ABI_SANITIZER "sanitizer=none;"
#endif

#ifdef __clang__
#define PENSTOCK_ABI_COMPILER                                           \
  "compiler=clang " PENSTOCK_QUOTE(__clang_major__) "." PENSTOCK_QUOTE( \
      __clang_minor__) ";"
#else
#define PENSTOCK_ABI_COMPILER                                  \
  "compiler=gcc " PENSTOCK_QUOTE(__GNUC__) "." PENSTOCK_QUOTE( \
      __GNUC_MINOR__) ";"
#endif

#ifdef NDEBUG
#define PENSTOCK_ABI_BUILD "build=release"
#else
#define PENSTOCK_ABI_BUILD "build=debug"
#endif

#define PENSTOCK_ABI_TEXT                                                   \
  "sdk=" PENSTOCK_SDK_VERSION ";headers=" PENSTOCK_SDK_HASH                 \
  ";" PENSTOCK_ABI_LIBRARY PENSTOCK_ABI_CONTAINERS                          \
  "libtorch=" PENSTOCK_QUOTE(TORCH_VERSION_MAJOR) "." PENSTOCK_QUOTE(       \
      TORCH_VERSION_MINOR) ";" PENSTOCK_ABI_SANITIZER PENSTOCK_ABI_COMPILER \
      PENSTOCK_ABI_BUILD

/// Puts `plugin=<name>;` and the text into a note (owner "penstock", type 1)
/// of the library that is being compiled.
#define PENSTOCK_ABI_NOTE(name)                         \
  __asm__(                                              \
      ".pushsection .note.penstock,\"a\",%note\n"       \
      ".balign 4\n"                                     \
      ".long 9, 2f - 1f, 1\n"                           \
      ".asciz \"penstock\"\n"                           \
      ".balign 4\n"                                     \
      "1: .ascii \"plugin=" #name ";" PENSTOCK_ABI_TEXT \
      "\"\n"                                            \
      "2: .balign 4\n"                                  \
      ".popsection\n");
// NOLINTEND(cppcoreguidelines-macro-usage)

namespace penstock {

/// This translation unit's own text; not inline, as it may differ elsewhere.
constexpr const char* kAbiText = PENSTOCK_ABI_TEXT;

/// One fact of a library beside the same fact of this libpenstock. A side that
/// does not state it has an empty value.
struct AbiFact {
  std::string key;
  std::string library, host;
  bool is_compared = true;  ///< false: shown only (compiler, build)

  [[nodiscard]] bool differs() const { return is_compared && library != host; }
};

/// Sets a library's text beside the host's, fact by fact: those of the host
/// first, then those that only the library states. `plugin=` is left out.
[[nodiscard]] PENSTOCK_API std::vector<AbiFact> compare_abi(
    std::string_view library_text);

/// The value of a key in such a text; empty when it is not there.
[[nodiscard]] PENSTOCK_API std::string abi_value(std::string_view text,
                                                 std::string_view key);

}  // namespace penstock
