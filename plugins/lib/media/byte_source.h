// ByteSource: the bytes of a media file, from a regular local file or from
// memory. What a name means is decided here: never a URL, a folder, a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace penstock::media {

class ByteSource {
 public:
  /// Opens a regular file; throws Error(kNotFound) where there is
  /// none, Error(kData) where it is a folder or device, is empty or
  /// has over `max_bytes`.
  [[nodiscard]] static std::unique_ptr<ByteSource> open_file(
      const std::string& path, std::int64_t max_bytes);
  /// A source over `bytes`, which it keeps alive; `name` is for messages.
  [[nodiscard]] static std::unique_ptr<ByteSource> of_bytes(
      const std::string& name, std::shared_ptr<const std::string> bytes,
      std::int64_t max_bytes);

  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  [[nodiscard]] std::int64_t size() const { return size_; }
  /// Reads up to `size` bytes at `at`; returns 0 at the end, -errno on failure.
  [[nodiscard]] virtual std::int64_t read(std::int64_t at, std::uint8_t* to,
                                          std::size_t size) const = 0;

 protected:
  explicit ByteSource(std::int64_t size) : size_(size) {}

 private:
  std::int64_t size_;
};

}  // namespace penstock::media
