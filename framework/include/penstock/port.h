// Ports: what a stage takes and gives, as text that is compared before any
// weight is loaded, so that 8 kHz sound or BGR pixels never reach a model
// that expects something else.
//
//   "pixels: f32[B,3,224,224]{rgb}"   name: dtype[dims]{facts}
//
// A dtype is bool, u8, i8, i16, i32, i64, f16, bf16, f32, f64, tokens, text or
// media. A dim is a number or a symbol. B (sequences) and R (scored positions)
// are the batch's own: a leading B or R is dropped before comparing. `...` at
// the end: any dims, of which nothing is known before the model runs. Facts are
// `word` or `key=value`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/export.h"

namespace penstock {

struct Port {
  std::string name;
  std::string dtype;
  std::vector<std::string> dims;
  std::map<std::string, std::string> facts;
};

/// Throws Error(kInternal) on a malformed text: a stage's author's fault.
[[nodiscard]] PENSTOCK_API Port parse_port(const std::string& text);
[[nodiscard]] PENSTOCK_API std::string to_string(const Port& port);

/// The number that a dim is; nothing for a symbol or `...`. One that no size
/// can be is the largest of its type.
[[nodiscard]] PENSTOCK_API std::optional<std::int64_t> fixed_dim(
    std::string_view dim);
/// Whether the first dim is the batch's own, B or R.
[[nodiscard]] PENSTOCK_API bool has_batch_dim(const Port& port);
/// The dims without the batch's own.
[[nodiscard]] PENSTOCK_API std::span<const std::string> own_dims(
    const Port& port);

/// Why `given` ports do not serve the `wanted` ones; empty: they do. Every
/// wanted port must be given by name, with its dtype, dims and facts.
[[nodiscard]] PENSTOCK_API std::vector<std::string> mismatches(
    const std::vector<Port>& given, const std::vector<Port>& wanted);
/// `given`, and those of the wanted ports that it lacks and `beside` has; of
/// several of a name the last.
[[nodiscard]] PENSTOCK_API std::vector<Port> with_missing(
    std::vector<Port> given, const std::vector<Port>& beside,
    const std::vector<Port>& wanted);

}  // namespace penstock
