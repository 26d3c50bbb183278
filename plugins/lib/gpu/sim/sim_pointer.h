// What a kernel on the simulator has for a pointer.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "lib/gpu/sim/sim_block.h"

namespace penstock::gpu {

/// A place in a buffer; every use of it is checked.
template <class T>
class SimPointer {
 public:
  using Number = std::remove_const_t<T>;
  static_assert(sizeof(T) % kGranule == 0);

  /// What pointer[i] is, where one may write to it.
  class Reference {
   public:
    Reference(const SimPointer& at) : at_(at) {}    // NOLINT(*explicit*)
    operator Number() const { return at_.read(); }  // NOLINT(*explicit*)
    Reference& operator=(Number value) {
      at_.write(value);
      return *this;
    }
    Reference& operator=(const Reference& other) {
      at_.write(static_cast<Number>(other));
      return *this;
    }
    Reference& operator+=(Number value) { return *this = at_.read() + value; }

   private:
    SimPointer at_;
  };

  SimPointer() = default;
  SimPointer(SimBlock* block, Region* region, T* at, const char* name = "")
      : block_(block), region_(region), at_(at), name_(name) {}
  operator SimPointer<const Number>() const {  // NOLINT(*explicit*)
    return {block_, region_, at_, name_};
  }

  [[nodiscard]] SimPointer operator+(std::int64_t n) const {
    return {block_, region_, at_ + n, name_};
  }
  [[nodiscard]] SimPointer operator-(std::int64_t n) const {
    return *this + -n;
  }
  [[nodiscard]] auto operator[](std::int64_t i) const {
    if constexpr (std::is_const_v<T>) {
      return (*this + i).read();
    } else {
      return Reference(*this + i);
    }
  }
  [[nodiscard]] explicit operator bool() const { return at_ != nullptr; }
  friend bool operator==(const SimPointer& p, std::nullptr_t) {
    return p.at_ == nullptr;
  }

  [[nodiscard]] T* raw() const { return at_; }
  [[nodiscard]] Region& region() const { return *region_; }
  /// As global() was told.
  [[nodiscard]] const char* name() const { return name_; }
  [[nodiscard]] Number read() const {
    block_->check_read(*region_, at_, sizeof(T));
    Number out;
    std::memcpy(&out, at_, sizeof(T));
    return out;
  }
  void write(Number value) const {
    block_->check_write(*region_, at_, sizeof(T));
    std::memcpy(at_, &value, sizeof(T));
  }

 private:
  SimBlock* block_ = nullptr;
  Region* region_ = nullptr;
  T* at_ = nullptr;
  const char* name_ = "";
};

}  // namespace penstock::gpu
