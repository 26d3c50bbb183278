extern "C" {
#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
}

#include "lib/media/ffmpeg.h"
#include "lib/sound/resampler.h"
#include "penstock/error.h"

namespace penstock::audio {
namespace {

struct FreeSwr {
  void operator()(SwrContext* context) const { swr_free(&context); }
};

class Swr final : public Resampler {
 public:
  Swr(std::int64_t from, std::int64_t to) {
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
    SwrContext* context = nullptr;
    int error = swr_alloc_set_opts2(
        &context, &mono, AV_SAMPLE_FMT_FLTP, static_cast<int>(to), &mono,
        AV_SAMPLE_FMT_FLTP, static_cast<int>(from), 0, nullptr);
    context_.reset(context);
    if (error >= 0) error = swr_init(context);
    check(error);
  }

  void push(std::span<const float> samples, std::vector<float>& out) override {
    const auto* from = reinterpret_cast<const std::uint8_t*>(samples.data());
    convert(&from, static_cast<int>(samples.size()), out);
  }
  void finish(std::vector<float>& out) override { convert(nullptr, 0, out); }

 private:
  static void check(int error) {
    if (error >= 0) return;
    throw Error(Code::kInternal, "swresample: " + media::words(error));
  }

  void convert(const std::uint8_t** from, int count, std::vector<float>& out) {
    const int most = swr_get_out_samples(context_.get(), count);
    check(most);
    const std::size_t before = out.size();
    out.resize(before + static_cast<std::size_t>(most));
    auto* to = reinterpret_cast<std::uint8_t*>(out.data() + before);
    const int made = swr_convert(context_.get(), &to, most, from, count);
    check(made);
    out.resize(before + static_cast<std::size_t>(made));
  }

  std::unique_ptr<SwrContext, FreeSwr> context_;
};

}  // namespace

std::unique_ptr<Resampler> make_swr_resampler(std::int64_t from,
                                              std::int64_t to) {
  return std::make_unique<Swr>(from, to);
}

}  // namespace penstock::audio
