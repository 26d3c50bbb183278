// Shared by the stages of this plugin: the networks of a file, and a sound cut
// into windows.
#pragma once

#include <map>
#include <string>

#include "penstock/keys.h"
#include "penstock/sequence.h"
#include "penstock/stage.h"
#include "silero/network.h"

namespace penstock::silero {

/// The networks for 16 and 8 kHz; throws Error(kNotFound)
/// when no model is named.
[[nodiscard]] std::map<std::int64_t, Network> open_networks(
    const std::string& model);
/// What they take, and so many windows at once; 0 when no model is named.
[[nodiscard]] Footprint networks_memory(const std::string& model,
                                        std::int64_t windows);
/// The network for a sample rate; throws Error(kData) where there is none.
[[nodiscard]] const Network& network_for(
    const std::map<std::int64_t, Network>& networks, std::int64_t sample_rate);
/// As the item notes it, which every stage that calls this needs.
[[nodiscard]] std::int64_t sample_rate(const Item& item);

/// Seconds of the recording before the item begins, as it notes them.
[[nodiscard]] double audio_begin(const Item& item);

/// Number of windows of a waveform, the last one filled with silence.
[[nodiscard]] std::int64_t window_count(const at::Tensor& waveform,
                                        const Network& network);
/// Windows [first, first + count), each after its context, with silence before
/// the beginning and after the end: f32[count, context + window].
[[nodiscard]] at::Tensor windows(const at::Tensor& waveform,
                                 const Network& network, std::int64_t first,
                                 std::int64_t count);

}  // namespace penstock::silero
