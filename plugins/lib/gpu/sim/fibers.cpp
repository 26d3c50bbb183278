#include "lib/gpu/sim/fibers.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <new>
#include <utility>

// Fibers switch by saving the registers that a call must keep and taking those
// of the other stack: a kernel's threads do so millions of times, and
// swapcontext() asks the system twice each time. The sanitizers follow
// swapcontext() alone, and other processors have no code here.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define PENSTOCK_FIBERS_SWITCH 1  // NOLINT(*macro-usage)
#else
#define PENSTOCK_FIBERS_SWITCH 0  // NOLINT(*macro-usage)
#endif

#if PENSTOCK_FIBERS_SWITCH
extern "C" void penstock_switch_fiber(void** saved, void* next);
// rdi: where the stack that is left is noted; rsi: the one to go on with. A
// return would be foreseen to go back to the caller, and a jump is not.
__asm__(
    ".pushsection .text\n"
    ".hidden penstock_switch_fiber\n"
    ".globl penstock_switch_fiber\n"
    ".type penstock_switch_fiber, @function\n"
    "penstock_switch_fiber:\n"
    "  pushq %rbp\n  pushq %rbx\n"
    "  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n"
    "  popq %rbx\n  popq %rbp\n"
    "  popq %rcx\n  jmp *%rcx\n"
    ".size penstock_switch_fiber, . - penstock_switch_fiber\n"
    ".popsection\n");
#endif

namespace penstock::gpu {
namespace {

constexpr std::size_t kGuard = 4096;
// Odd numbers of pages, and not from the end of the last: all stacks' few lines
// in use would else share a few places of the caches and drive each other out.
#if PENSTOCK_FIBERS_SWITCH
constexpr std::size_t kStack = 17 * kGuard;
#else
constexpr std::size_t kStack = 65 * kGuard;
#endif
constexpr std::size_t top_of(int fiber) {
  constexpr int kLine = 64;
  constexpr int kLines = kGuard / kLine;
  constexpr int kApart = 5;  // lines that one has to itself
  return kStack - static_cast<std::size_t>(fiber * kApart % kLines * kLine);
}

/// Memory whose lowest page kills the program that overflows it.
class Stack {
 public:
  Stack()
      : bytes_(mmap(nullptr, kStack, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    if (bytes_ == MAP_FAILED) throw std::bad_alloc();
    if (mprotect(bytes_, kGuard, PROT_NONE) == 0) return;
    munmap(bytes_, kStack);
    throw std::bad_alloc();
  }
  Stack(Stack&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)) {}
  Stack& operator=(Stack&&) = delete;
  ~Stack() {
    if (bytes_ != nullptr) munmap(bytes_, kStack);
  }
  [[nodiscard]] void* begin() const { return bytes_; }

 private:
  void* bytes_;
};

/// Stacks that nobody uses: the system takes its time to make one.
std::vector<Stack>& spare_stacks() {
  thread_local std::vector<Stack> stacks;
  return stacks;
}
Stack take_stack() {
  std::vector<Stack>& spare = spare_stacks();
  if (spare.empty()) return {};
  Stack out = std::move(spare.back());
  spare.pop_back();
  return out;
}

/// Whom enter(), which takes no argument, works for.
thread_local Fibers* entering = nullptr;

}  // namespace

struct Fibers::Fiber {
  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() { spare_stacks().push_back(std::move(stack)); }

  Stack stack = take_stack();
#if PENSTOCK_FIBERS_SWITCH
  void* own = nullptr;     ///< its stack, where it paused
  void* caller = nullptr;  ///< that of who resumed it
#else
  ucontext_t own{}, caller{};
#endif
  int index = 0;
  bool is_started = false, is_alive = false;
};

Fibers::Fibers() = default;
Fibers::~Fibers() = default;

void Fibers::start(int count, Body body) {
  body_ = std::move(body);
  while (static_cast<int>(fibers_.size()) < count) {
    fibers_.push_back(std::make_unique<Fiber>());
    fibers_.back()->index = static_cast<int>(fibers_.size()) - 1;
  }
  for (auto& fiber : fibers_) {
    fiber->is_started = false;
    fiber->is_alive = true;
  }
}

void Fibers::enter() {
  Fibers& self = *entering;
  Fiber& fiber = *self.current_;
  self.body_(fiber.index);
  fiber.is_alive = false;
  self.pause();
}

bool Fibers::resume(int index) {
  Fiber& fiber = *fibers_[static_cast<std::size_t>(index)];
  current_ = &fiber;
  entering = this;
#if PENSTOCK_FIBERS_SWITCH
  if (!fiber.is_started) {
    fiber.is_started = true;
    // As if enter() had been called, and had paused before its first line.
    auto** top = reinterpret_cast<void**>(
        static_cast<std::byte*>(fiber.stack.begin()) + top_of(index));
    *--top = nullptr;  // enter() finds the stack as after a call
    *--top = reinterpret_cast<void*>(&Fibers::enter);
    constexpr int kSaved = 6;
    fiber.own = top - kSaved;
  }
  penstock_switch_fiber(&fiber.caller, fiber.own);
#else
  if (!fiber.is_started) {
    fiber.is_started = true;
    getcontext(&fiber.own);
    fiber.own.uc_stack.ss_sp = fiber.stack.begin();
    fiber.own.uc_stack.ss_size = top_of(index);
    fiber.own.uc_link = nullptr;
    makecontext(&fiber.own, &Fibers::enter, 0);
  }
  swapcontext(&fiber.caller, &fiber.own);
#endif
  Fiber& back = *current_;
  current_ = nullptr;
  return back.is_alive;
}

void Fibers::pause() {
#if PENSTOCK_FIBERS_SWITCH
  penstock_switch_fiber(&current_->own, current_->caller);
#else
  swapcontext(&current_->own, &current_->caller);
#endif
}

}  // namespace penstock::gpu
