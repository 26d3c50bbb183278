#include "image/request_picture.h"

#include "image/decode.h"
#include "image/given.h"
#include "penstock/media.h"

namespace penstock::image {

at::Tensor request_picture(const Request& request) {
  // Whoever preprocessed it had limits.
  constexpr std::int64_t kAny = 1 << 30;
  Picture picture;
  if (const auto given = given_pixels(request, "image", kAny)) {
    picture.pixels = *given;
  } else {
    picture = decode(*read_media(media_input(request, "image"), kAny), {});
  }
  return upright(without_alpha(picture.pixels, "drop"), picture.orientation);
}

}  // namespace penstock::image
