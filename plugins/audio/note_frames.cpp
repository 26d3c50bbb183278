#include "audio/note_frames.h"

#include <ATen/ops/isfinite.h>

#include <array>

#include "penstock/parallel.h"

namespace penstock::audio {
namespace {

constexpr std::array kRolls = {"notes", "onsets"};

}  // namespace

void NoteFrames::declare(Declaration<NoteFrames>& d) {
  d.doc("Which pitches sound and begin in each frame of overlapping windows")
      .input("notes: f32[B,F,P]")
      .input("onsets: f32[B,F,P]")
      .output("notes: f32[N,P]")
      .output("onsets: f32[N,P]")
      .light();
  d.param("overlap", &Params::overlap,
          "frames that a window shares with the next one")
      .range(0, 1 << 20);
  d.check([](const Params& params) -> std::string {
    return params.overlap % 2 == 0 ? "" : "overlap is halved; it must be even";
  });
}

void NoteFrames::decode(const Step& step, const Result& picked,
                        std::vector<Next>& out) {
  const SerialOps serial;
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    Next& next = out.emplace_back();
    next.slice = i;
    next.finish = Finish::kEnd;
    try {
      Decoded made;
      for (const char* const name : kRolls) {
        const at::Tensor row =
            get(picked.out, name)[static_cast<std::int64_t>(i)].cpu();
        const std::int64_t own = row.size(0) - params_.overlap;
        if (own < 1) {
          throw Error(Code::kData,
                      str("a window has ", row.size(0), " frames and shares ",
                          params_.overlap, "; set decode.overlap"));
        }
        if (!row.isfinite().all().item<bool>()) {
          throw ForwardFault(str("'", name, "' is not finite"));
        }
        // A copy: else one row would keep the whole step.
        made.tensors.emplace_back(
            name, row.narrow(0, params_.overlap / 2, own).clone());
      }
      next.emit.push_back(std::move(made));
    } catch (const Error&) {
      next.error = std::current_exception();
    }
  }
}

}  // namespace penstock::audio
