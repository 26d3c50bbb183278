// Where another thread is: its stack, asked of it by a signal.
#pragma once

#include <string>
#include <vector>

namespace penstock {

/// Innermost first, a line each: "function (library+0x1a2b)", or the library
/// and offset alone where no name is exported, as addr2line takes them. Empty
/// where the thread does not answer: it blocks the signal, or a program has a
/// handler of its own for it. System calls go on where they can.
[[nodiscard]] std::vector<std::string> stack_of_thread(long thread);

}  // namespace penstock
