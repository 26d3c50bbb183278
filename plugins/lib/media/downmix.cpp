#include "lib/media/downmix.h"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
}

#include <cmath>
#include <cstddef>
#include <numeric>

namespace penstock::media {
namespace {

/// FFmpeg's matrix to one channel; empty: it has none.
std::vector<double> matrix_of(const AVChannelLayout& layout) {
  const AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
  constexpr double kMinus3Db = M_SQRT1_2;
  constexpr double kNoLfe = 0;
  constexpr double kMost = 1e9;  // not scaled: the sum is known here
  // It writes as many rows and columns as there can be channels.
  constexpr int kChannels = 64;
  std::vector<double> matrix(std::size_t{kChannels} * kChannels);
  const int error = swr_build_matrix2(
      &layout, &mono, kMinus3Db, kMinus3Db, kNoLfe, kMost, 1, matrix.data(),
      kChannels, AV_MATRIX_ENCODING_NONE, nullptr);
  matrix.resize(static_cast<std::size_t>(layout.nb_channels));
  return error < 0 ? std::vector<double>() : matrix;
}

}  // namespace

std::vector<float> mono_shares(const AVChannelLayout& layout) {
  const auto count = static_cast<std::size_t>(layout.nb_channels);
  std::vector<float> shares(count, 1.0F / static_cast<float>(count));
  if (count < 3) return shares;
  if (layout.order == AV_CHANNEL_ORDER_UNSPEC) {
    AVChannelLayout usual{};
    av_channel_layout_default(&usual, layout.nb_channels);
    // Of some numbers of channels there is none.
    if (usual.order == AV_CHANNEL_ORDER_UNSPEC) return shares;
    return mono_shares(usual);
  }
  const std::vector<double> matrix = matrix_of(layout);
  const double sum = std::accumulate(matrix.begin(), matrix.end(), 0.0);
  if (!(sum > 0)) return shares;
  for (std::size_t i = 0; i < count; ++i) {
    shares[i] = static_cast<float>(matrix[i] / sum);
  }
  return shares;
}

std::vector<float> mono_shares(int channels) {
  AVChannelLayout layout{};
  av_channel_layout_default(&layout, channels);
  return mono_shares(layout);
}

}  // namespace penstock::media
