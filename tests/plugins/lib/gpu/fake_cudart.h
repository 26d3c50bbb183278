// A CUDA runtime without a card: the host's memory, and nothing is put off but
// what a graph is captured of. What one may do while capturing it does not ask.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace penstock::gpu {

/// The names of the calls that queue or wait, since the last of this.
[[nodiscard]] std::vector<std::string> take_cuda_calls();
/// The next cudaGraphInstantiate() finds no memory.
void fail_next_graph();
/// The newest CUDA that the driver runs, 13.0 else; it knows no kernel whose
/// params need a newer one, which are those whose code is at `large`.
void set_driver(int cuda, const void* large = nullptr);
/// The card's compute capability, 9.0 else. It has no code for the kernels
/// whose code is at one of `foreign`: to load one is an error.
void set_compute_capability(int major, int minor,
                            const std::set<const void*>& foreign = {});
/// The code of kernels that were loaded, since the last of this.
[[nodiscard]] std::vector<const void*> take_loaded();

}  // namespace penstock::gpu
