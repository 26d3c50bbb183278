#include "grammar/log.h"

#include <utility>

#include "penstock/error.h"

namespace penstock::grammar {
namespace {

constexpr int kWarning = 2;  ///< XGRAMMAR_LOG_LEVEL_WARNING

Warnings*& current() {
  thread_local Warnings* warnings = nullptr;
  return warnings;
}

}  // namespace

Warnings::Warnings() { current() = this; }
Warnings::~Warnings() { current() = nullptr; }

void warn(int level, const std::string& text) {
  if (level >= kWarning && current() != nullptr) current()->add(text);
}

}  // namespace penstock::grammar

// What the library calls where it would print or give up.
namespace xgrammar {

[[noreturn]] void LogFatalImpl(const std::string& /*file*/, int /*line*/,
                               const std::string& message) {
  throw penstock::Error(penstock::Code::kData, message);
}

void LogMessageImpl(const std::string& /*file*/, int /*line*/, int level,
                    const std::string& message) {
  penstock::grammar::warn(level, message);
}

}  // namespace xgrammar
