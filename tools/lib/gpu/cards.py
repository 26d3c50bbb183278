"""GPUs as their makers describe them, and what others have measured of them.

Vendors' peaks are without sparsity. Sources:
  H100, H200  NVIDIA H100 Tensor Core GPU Architecture (v1.04) and the H200 data sheet (SXM)
  A100        NVIDIA A100 Tensor Core GPU Architecture (80 GB SXM: its data sheet); L2: 5120 bytes a clock
  L4          NVIDIA L4 data sheet; AD104 in the Ada architecture paper
  RTX 4090    NVIDIA Ada GPU Architecture (v2.1), tensor peak with float sums
  RTX 5090    NVIDIA RTX Blackwell GPU Architecture, tensor peak with float sums
  latencies   rounded, of Luo et al., arXiv 2402.13499 (A100, H100, RTX 4090; L4 as RTX 4090) and of
              Jarmusch et al., arXiv 2507.10789 (RTX 5080, for the 5090)
  L2          chipsandcheese.com's measurement of an H100 PCIe (2023-07), 5.5 TB/s with 114 multiprocessors at 1.755
              GHz at most; the others, the SXM cards too, scaled by units and clock. Products of 192 x 192 outputs that
              share nothing between blocks read 8.1 TB/s of an H100 SXM: 777 TFLOP/s (github.com/pranjalssh/fast.cu, 6)
  launch      Spector et al., "Look Ma, No Bubbles!", 2025-05: 1.3 us in a CUDA graph on an H100; taken for all
  mma_share   Luo et al., arXiv 2501.12084: mma.sync, all that wmma can give, reaches 62 % of what wgmma does
"""
import dataclasses
import difflib

from fetch import Failure


@dataclasses.dataclass(frozen=True)
class Card:
    name: str
    memory: float  # bytes a second
    bf16: float  # operations a second of the tensor units, sums in float
    int8: float
    fp32: float  # of the ordinary units
    multiprocessors: int
    clock: float  # Hz
    l2: float  # bytes a second
    l2_cycles: float  # latency
    memory_cycles: float
    mma_share: float = 1.0  # of bf16, where no wgmma is used
    has_groups: bool = False  # has wgmma, and code for sm_90a runs on it
    launch: float = 1.3e-6  # seconds from the end of a kernel of a graph to the start of the next

    def seconds(self, cycles):
        return cycles / self.clock


ALL = {
    card.name: card
    for card in (
        Card("h100", 3.35e12, 989.4e12, 1978.9e12, 66.9e12, 132, 1.83e9, 6.6e12, 260, 480, mma_share=0.62,
             has_groups=True),
        Card("h200", 4.8e12, 989.4e12, 1978.9e12, 66.9e12, 132, 1.83e9, 6.6e12, 260, 480, mma_share=0.62,
             has_groups=True),
        Card("a100", 2.039e12, 312e12, 624e12, 19.5e12, 108, 1.41e9, 4.5e12, 260, 470),
        Card("l4", 0.3e12, 121e12, 242e12, 30.3e12, 58, 2.04e9, 2.2e12, 270, 540),
        Card("rtx4090", 1.008e12, 165.2e12, 660.6e12, 82.6e12, 128, 2.52e9, 5.0e12, 270, 540),
        Card("rtx5090", 1.792e12, 209.5e12, 838e12, 104.8e12, 170, 2.407e9, 7.0e12, 360, 880),
    )
}


def find(name):
    if name in ALL:
        return ALL[name]
    near = difflib.get_close_matches(name, ALL, 1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    raise Failure(2, f"'{name}' is no card known here; {hint}known: {', '.join(ALL)}")
