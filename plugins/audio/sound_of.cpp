#include "audio/sound_of.h"

#include "penstock/keys.h"

namespace penstock::audio {
namespace {

std::string names_of_tensors(const Tensors& tensors) {
  std::string out;
  for (const auto& [name, tensor] : tensors) {
    out += (out.empty() ? "'" : ", '") + name + "'";
  }
  return out.empty() ? "none" : out;
}

const at::Tensor& given_sound(const Decoded& decoded, const std::string& name) {
  if (const at::Tensor* made = find(decoded.tensors, name)) return *made;
  if (const at::Tensor* heard = find(decoded.item->inputs, name)) return *heard;
  throw Error(
      Code::kData,
      str("there is no tensor '", name, "': decode gives ",
          names_of_tensors(decoded.tensors), ", preprocess made ",
          names_of_tensors(decoded.item->inputs), "; set postprocess.tensor"));
}

}  // namespace

at::Tensor sound_of(const Decoded& decoded, const std::string& name) {
  const at::Tensor& given = given_sound(decoded, name);
  at::Tensor sound = given.cpu();
  while (sound.dim() > 2 && sound.size(0) == 1) sound = sound.squeeze(0);
  if (sound.dim() == 1) sound = sound.unsqueeze(0);
  if (sound.dim() != 2 || !sound.is_floating_point() || sound.numel() == 0) {
    throw Error(Code::kData,
                str("'", name, "' is ", at::toString(given.scalar_type()),
                    " with ", given.dim(), " dims and ", given.numel(),
                    " numbers; a sound is f32[T] or f32[C,T], not empty"));
  }
  return sound.to(at::kFloat);
}

std::int64_t rate_of(const Decoded& decoded, std::int64_t said) {
  if (said > 0) return said;
  if (const auto* rate = find(decoded.notes, kSampleRate)) return *rate;
  if (const auto* rate = find(decoded.item->notes, kSampleRate)) return *rate;
  throw Error(Code::kData,
              "nobody says how many samples a second the sound has; set "
              "postprocess.sample_rate");
}

}  // namespace penstock::audio
