"""What a step of plugins/gemma/cuda costs on a card, by arithmetic: bytes, operations, launches, time.

A kernel takes its launch, the latencies that nothing hides, and then as long as the slowest of its streams: bytes
from memory, bytes from the L2, bytes through shared memory, operations of the tensor units or instructions of the
ordinary ones. A kernel of few blocks gets only what those multiprocessors can pull, and one whose blocks are no whole
number of rounds waits for the last of them. Nothing here is measured on our kernels; the shares below say what others'
good kernels reach.
"""
import dataclasses
import math

# Of a weight; int8: 32 codes and a half-precision scale (Q8_0), int4 the same (Q4_0; Q4_K has a minimum: 20 bytes).
BYTES = {"bf16": 2.0, "int8": 34 / 32, "int4": 18 / 32}
# Instructions till a weight is a float (bodies/weights.h): a shift; a byte moved and a multiply-add; half a shift, half
# a mask, a shift and a multiply-add.
UNPACK = {"bf16": 1.0, "int8": 2.0, "int4": 3.0}
READ_COLUMNS = {"bf16": 8, "int8": 16, "int4": 32}  # of 16 bytes, what a lane has
KV_BYTES = 2.0
FLOAT = 4.0

MEMORY_SHARE = 0.90  # of the data sheet's bandwidth that a copy reaches (STREAM on H100: 3.0 to 3.1 of 3.35 TB/s)
PERSISTENT_SHARE = 0.78  # one kernel for all layers, Llama 3.2 1B on an H100 ("Look Ma, No Bubbles!")
# Of what mma.sync can reach, where nothing else is the limit. On an A100 mma.sync is all there is: cuBLAS has 250 to 280
# of 312 TFLOP/s there, FlashAttention-2 up to 230 (its paper), with 128 numbers a head.
TENSOR_SHARE = 0.80
ATTENTION_SHARE = 0.87  # of that: while a warp makes exponentials it multiplies nothing
# Of the peak, by warpgroups (wgmma): github.com/pranjalssh/fast.cu has 49 % on an H100 where copies and products of a
# block take turns, 64 % with warps that only copy, 79 % when that is tuned. Ours overlap, without such warps; assumed.
GROUP_SHARE = 0.60
# Of the peak in attention: FlashAttention-3 has 58 % without warps that only copy, with 128 numbers a head (Shah et al.,
# arXiv 2407.08608, its ablation); 256 are twice the products for an exponential, ours copies by cp.async; assumed.
GROUP_ATTENTION_SHARE = 0.55
# And of a block of one warpgroup, which multiplies nothing for a while: by clocks of a page, 512 for scores, 512 for
# values and beside them the softmax, some 400 for the rest; assumed.
ONE_GROUP_SHARE = 0.40
SHARED_BYTES = 128  # bytes a clock of a multiprocessor's shared memory
SHARED_SHARE = 0.85  # of which good kernels reach; an assumption
SIMT_SHARE = 0.50  # float units: half of the instructions unpack weights and count
ISSUE_SHARE = 0.80  # of the instructions that could be issued, where they are counted; an assumption
SM_BYTES = 48.0  # bytes a clock that one multiprocessor pulls: three quarters of its port of 64

# As plugins/gemma/cuda/geometry.cpp shapes its launches.
ROW_TILE = 8  # rows whose sums a block of a row product holds
OUTPUTS = {"qkv": 8, "out": 2, "gate_up": 16, "down": 2}  # of such a block
MOST_SPLITS = 64  # blocks that share the keys of a row
SPLIT_KEYS = 32  # the fewest of a block
HEAD_BLOCKS = 2  # for each multiprocessor
BLOCK_HEADS = 4  # most query heads of a block of attention
QUERY_ROWS = 64  # of a block of attention by tiles: query heads by tokens
KEY_STEP = 32  # keys that it has in shared memory
GROUP_ROWS = 64  # of a warpgroup, of which a block of attention has one or two
PAGE = 64  # keys that they take at a time
STEP_BLOCKS = 3  # of the one kernel of a step, for each multiprocessor; so many tasks of the head too
# From the last sum of a part to the first of the next, in trips to the L2: the sum is there and acknowledged, the counter
# is raised (half a trip) and seen (a poll is half over on the mean: one and a half), the part's addresses are read behind
# the wait, then y, then x.
WAIT_TRIPS = 1 + 0.5 + 1.5 + 1 + 2
# The screened head (bodies/screen.h, bodies/refine.h), for 16 codes of a lane: two reads of a row's 32 codes from shared
# memory and eight instructions of four products each, of which half as many are issued as of others (an assumption); and
# for all rows a read and what counts.
SCREEN_ROW_SLOTS, SCREEN_SLOTS, SCREEN_CODES = 2 + 2 * 8, 3, 16
SCREEN_NUMBERS = 8  # bytes of a token's scale and bound
# Exact scores of a row for the best token, 8 and 72 of them: counted on 32 hidden states of prose, of the 270M, with the
# codes and the floors of those kernels.
CANDIDATES = {1: 13, 8: 64, 72: 700}
# Before refine knows its tokens: 32 bits of a bound, each of which asks a warp four times; and what it scans comes from
# the L2.
FLOOR_CYCLES = 32 * 4 * 20
DRAW_BYTES = 72 * 8 + 48  # of a row: its best candidates, and how one of them is drawn
DRAW_CYCLES = 72 * 16  # their weights are summed one after the other, in doubles

# What the host does between two steps, beside the device's work: 30 us and 5 a row. Measured as the wall less the
# forward stage of pipeline-run gemma_text.yaml with 1, 8 and 64 rows, on two cores of an EPYC.
HOST_US, HOST_ROW_US = 30.0, 5.0


@dataclasses.dataclass(frozen=True)
class Tile:
    """Of a block of a tiled product, and of a warp of it, or of a warpgroup."""
    rows: int
    outputs: int
    warp_rows: int
    warp_outputs: int
    groups: bool = False

    def blocks(self, rows, outputs):
        return math.ceil(outputs / self.outputs) * math.ceil(rows / self.rows)

    def shared_bytes(self, columns):
        """A block's: each number is written once, and read by each warp that multiplies it."""
        warps = self.rows * self.outputs / (self.warp_rows * self.warp_outputs)
        return 2 * columns * (self.rows + self.outputs + warps * (self.warp_rows + self.warp_outputs))


TILES = (Tile(128, 256, 64, 64), Tile(128, 128, 64, 32), Tile(64, 64, 32, 32))
GROUP_TILES = (*(Tile(128, outputs, 64, outputs, groups=True) for outputs in (256, 160, 128)), *TILES)


def best_tile(rows, outputs, has_groups=False):
    """As geometry.cpp chooses: clocks of an H100 for each column, of its tensor units or of its L2."""
    def clocks(tile):
        blocks = tile.blocks(rows, outputs)
        products = 1230 if tile.groups else 1016
        return max(math.ceil(blocks / 132) * tile.rows * tile.outputs / products,
                   blocks * 2 * (tile.rows + tile.outputs) / 3610)

    return min(GROUP_TILES if has_groups else TILES, key=clocks)


@dataclasses.dataclass(frozen=True)
class Kernel:
    name: str
    count: int  # launches in a step
    bytes: float  # from and to device memory, of one launch
    flops: float
    blocks: int
    l2_bytes: float = 0.0  # what its blocks read in all, if more than `bytes`
    tensor: bool = False
    groups: bool = False  # by warpgroups
    shared_bytes: float = 0.0  # through shared memory, of all blocks
    instructions: float = 0.0  # of the ordinary units, by lane
    efficiency: float = 1.0  # of the tensor share
    cycles: float = 0.0  # of latencies that nothing hides, beside those of every kernel


@dataclasses.dataclass(frozen=True)
class Step:
    """`rows` tokens of `sequences` that see `keys` keys each on the mean; scores for `scored` rows."""
    sequences: int
    rows: int
    scored: int
    keys: float  # of a full layer, for a row
    window_keys: float  # of a sliding layer
    kv_read: float  # keys that a full layer's kernel reads from memory, all sequences together
    window_kv_read: float


def decode_step(sizes, batch, context):
    window = min(context, sizes.window)
    return Step(batch, batch, batch, context, window, batch * context, batch * window)


def prefill_step(sizes, begin, rows, scored):
    """Rows [begin, begin + rows) of one prompt."""
    window_keys = sum(min(begin + row + 1, sizes.window) for row in range(rows)) / rows
    seen = min(begin, sizes.window - 1) + rows
    return Step(1, rows, scored, begin + (rows + 1) / 2, window_keys, begin + rows, seen)


def by_rows(name, count, rows, inputs, outputs, dtype, blocks):
    """A product of few rows: each block reads its weights once for ROW_TILE rows, and all of those rows."""
    weights = inputs * outputs * BYTES[dtype]
    down = math.ceil(rows / ROW_TILE)
    # A warp's lanes share a row of weights, 16 bytes each: those beyond its end idle.
    turn = 32 * READ_COLUMNS[dtype]
    idle = math.ceil(inputs / turn) * turn / inputs
    sums = 1 << (min(rows, ROW_TILE) - 1).bit_length()  # 1, 2, 4 or 8
    # A number of the input becomes a float for two rows of weights.
    instructions = down * inputs * outputs * idle * (UNPACK[dtype] + 1.5 * sums)
    return Kernel(name, count, weights + rows * (inputs + outputs) * FLOAT, 2.0 * rows * inputs * outputs,
                  blocks * down, weights * down + blocks * rows * inputs * FLOAT, instructions=instructions)


def by_tiles(card, name, count, rows, inputs, outputs, dtype, output_bytes=FLOAT):
    """A product of many rows on tensor cores: the inputs are bf16."""
    weights = inputs * outputs * BYTES[dtype]
    tile = best_tile(rows, outputs, card.has_groups and dtype == "bf16")
    across, down = math.ceil(outputs / tile.outputs), math.ceil(rows / tile.rows)
    # Codes are unpacked once for each block of rows, and half an instruction makes a bf16.
    unpacked = 0 if dtype == "bf16" else down * inputs * outputs * (UNPACK[dtype] + 0.75)
    written = rows * outputs * output_bytes
    return Kernel(name, count, weights + rows * 2 * inputs + written, 2.0 * rows * inputs * outputs,
                  across * down, weights * down + rows * 2 * inputs * across + written, tensor=True, groups=tile.groups,
                  shared_bytes=across * down * tile.shared_bytes(inputs), instructions=unpacked)


def splits(card, sizes, rows, keys):
    """Blocks that share a row's keys, so that all multiprocessors have one."""
    wanted = math.ceil(2 * card.multiprocessors / (rows * sizes.kv_heads))
    return max(1, min(wanted, MOST_SPLITS, int(keys / SPLIT_KEYS)))


def head_shares(sizes):
    """Blocks among which the query heads are shared; each reads the keys of its own."""
    group = sizes.heads // sizes.kv_heads
    return sizes.kv_heads * math.ceil(group / BLOCK_HEADS)


def attention(card, sizes, step, name, count, keys, read, tiled):
    flops = 4.0 * step.rows * keys * sizes.queries
    moved = read * 2 * sizes.keys * KV_BYTES + step.rows * 2 * sizes.queries * FLOAT
    if tiled and card.has_groups:
        return attention_by_groups(card, Kernel(name, count, moved, flops, 0, tensor=True, groups=True), sizes, step, keys)
    if tiled:
        tokens = QUERY_ROWS // min(sizes.heads // sizes.kv_heads, BLOCK_HEADS)
        blocks = math.ceil(step.rows / tokens) * head_shares(sizes)
        # A warp has 16 of the rows. For each step of keys it reads its queries, all keys and all values.
        warps = QUERY_ROWS / 16
        through = blocks * (keys + tokens) * sizes.head_dim * 2 * (2 + warps * (2 + 16 / KEY_STEP))
        return Kernel(name, count, moved, flops, blocks,
                      blocks * (keys + tokens) * 2 * sizes.head_dim * KV_BYTES, tensor=True, shared_bytes=through,
                      efficiency=ATTENTION_SHARE)
    blocks = step.rows * head_shares(sizes)
    return Kernel(name, count, moved, flops, blocks * splits(card, sizes, step.rows, keys),
                  blocks * keys * 2 * sizes.head_dim * KV_BYTES)


def best_groups(card, sizes, rows):
    """(warpgroups of a block, tokens, blocks, share of the peak of whole rounds), as geometry.cpp chooses them."""
    heads = min(sizes.heads // sizes.kv_heads, BLOCK_HEADS)
    both = []
    for groups in (1, 2):
        tokens = groups * GROUP_ROWS // heads
        blocks = math.ceil(rows / tokens) * head_shares(sizes)
        both.append((groups_time(card, sizes.head_dim, groups, blocks), -groups, tokens, blocks))
    time, groups, tokens, blocks = min(both, key=lambda one: (round(one[0], 6), one[1]))  # of equal ones two
    return -groups, tokens, blocks, math.ceil(blocks / card.multiprocessors) * -groups / time


def groups_time(card, head_dim, groups, blocks):
    """Of attention by so many blocks, where a warpgroup at a processor's peak takes 1."""
    one, two = 1 / ONE_GROUP_SHARE, 2 / GROUP_ATTENTION_SHARE
    if groups == 2 or head_dim > 128:
        return math.ceil(blocks / card.multiprocessors) * (two if groups == 2 else one)
    # A processor has two blocks at once, as long as there are so many.
    rounds, left = divmod(blocks, 2 * card.multiprocessors)
    return rounds * two + (0 if left == 0 else one if left <= card.multiprocessors else two)


def attention_by_groups(card, kernel, sizes, step, keys):
    """A warpgroup reads its 64 queries once for each page, and all keys and values once. Pages are whole, and those of
    a block's first and last token."""
    groups, tokens, blocks, share = best_groups(card, sizes, step.rows)
    seen = keys + tokens + PAGE
    each = blocks * seen * sizes.head_dim * KV_BYTES
    return dataclasses.replace(kernel, blocks=blocks, l2_bytes=each * 2,
                               shared_bytes=each * (2 + groups * (2 + GROUP_ROWS / PAGE)),
                               efficiency=share / GROUP_SHARE * keys / seen)


def both_attentions(card, sizes, step, tiled):
    sliding = sizes.layers - sizes.full_layers
    return [attention(card, sizes, step, "attention, window", sliding, step.window_keys, step.window_kv_read, tiled),
            attention(card, sizes, step, "attention, all", sizes.full_layers, step.keys, step.kv_read, tiled)]


def pointwise(name, count, rows, bytes_each, flops_each):
    return Kernel(name, count, rows * bytes_each, rows * flops_each, rows)


def layers_by_rows(card, sizes, step, dtype):
    def product(name, inputs, outputs):
        return by_rows(name, sizes.layers, step.rows, inputs, outputs, dtype, math.ceil(outputs / OUTPUTS[name]))

    return [product("qkv", sizes.hidden, sizes.queries + 2 * sizes.keys), *both_attentions(card, sizes, step, False),
            product("out", sizes.queries, sizes.hidden), product("gate_up", sizes.hidden, 2 * sizes.ffn),
            product("down", sizes.ffn, sizes.hidden)]


def layers_by_tiles(card, sizes, step, dtype, tiled_attention):
    rows, all_heads = step.rows, sizes.queries + 2 * sizes.keys

    def product(name, inputs, outputs, output_bytes=FLOAT):
        return by_tiles(card, name, sizes.layers, rows, inputs, outputs, dtype, output_bytes)

    # Of a gate and its up one bf16 is written.
    return [pointwise("norm", 2 * sizes.layers, rows, sizes.hidden * (3 * FLOAT + 2), 8.0 * sizes.hidden),
            product("qkv", sizes.hidden, all_heads),
            pointwise("place", sizes.layers, rows, all_heads * 2 * FLOAT, 8.0 * all_heads),
            *both_attentions(card, sizes, step, tiled_attention), product("out", sizes.queries, sizes.hidden),
            product("gate_up", sizes.hidden, 2 * sizes.ffn, 1.0), product("down", sizes.ffn, sizes.hidden)]


def scores(card, sizes, rows, dtype, tiled):
    """The head and what picks the best. By rows the scores stay in the blocks; by tiles they are written and read."""
    if tiled:
        return [pointwise("norm of head", 1, rows, sizes.hidden * (2 * FLOAT + 2), 8.0 * sizes.hidden),
                by_tiles(card, "head", 1, rows, sizes.hidden, sizes.vocab, dtype),
                dataclasses.replace(pointwise("scan", 1, rows, sizes.vocab * FLOAT, 2.0 * sizes.vocab),
                                    blocks=max(rows, HEAD_BLOCKS * card.multiprocessors)),
                pointwise("select", 1, rows, HEAD_BLOCKS * card.multiprocessors * 2 * FLOAT,
                          HEAD_BLOCKS * card.multiprocessors)]
    blocks = HEAD_BLOCKS * card.multiprocessors
    head = by_rows("head", 1, rows, sizes.hidden, sizes.vocab, dtype, blocks)
    kept = rows * sizes.vocab * FLOAT
    return [dataclasses.replace(head, bytes=head.bytes - kept),
            pointwise("select", 1, rows, blocks * 2 * FLOAT, blocks)]


def can_screen(rows, dtype):
    """Whether the engine can find so many rows' best tokens by a screen."""
    return rows <= ROW_TILE and dtype == "bf16"


def screened_scores(card, sizes, rows, best):
    """What takes the head's place: bytes for all tokens, numbers for those that may be among the best."""
    blocks = HEAD_BLOCKS * card.multiprocessors
    weights = sizes.vocab * sizes.hidden
    each = SCREEN_SLOTS + SCREEN_ROW_SLOTS * (1 << (rows - 1).bit_length())
    marks = rows * sizes.vocab * FLOAT  # the most that each score may be
    refined = rows * CANDIDATES[best] * sizes.hidden
    return [Kernel("screen", 1, weights + sizes.vocab * SCREEN_NUMBERS + marks, 2.0 * rows * weights, blocks,
                   instructions=weights / SCREEN_CODES * each),
            Kernel("refine", 1, 2 * refined + marks, 2.0 * rows * refined, blocks,
                   cycles=FLOOR_CYCLES + card.l2_cycles),
            pointwise("select", 1, rows, blocks * 2 * FLOAT, blocks)]


def kernels(card, sizes, step, dtype, tiled=False, tiled_attention=False, screened=0):
    """The kernels of a step, in the order of a layer; `tiled`: the products of the layers; `screened`: so many best
    tokens are found by a screen."""
    out = [pointwise("embed", 1, step.rows, sizes.hidden * (BYTES[dtype] + FLOAT), sizes.hidden)]
    if tiled:
        out += layers_by_tiles(card, sizes, step, dtype, tiled_attention)
    else:
        out += layers_by_rows(card, sizes, step, dtype)
    if step.scored and screened:
        out += screened_scores(card, sizes, step.scored, screened)
    elif step.scored:
        out += scores(card, sizes, step.scored, dtype, tiled and step.scored > ROW_TILE)
    return [kernel for kernel in out if kernel.count]


def work_time(card, kernel, memory_share, tensor_share):
    """Seconds of the slowest stream of one launch."""
    share = min(1.0, kernel.blocks / card.multiprocessors)
    pulled = kernel.blocks * SM_BYTES * card.clock
    memory = kernel.bytes / min(card.memory * memory_share, pulled)
    cache = kernel.l2_bytes / min(card.l2, pulled)
    issued = kernel.instructions / (card.fp32 / 2 * ISSUE_SHARE * share)
    if not kernel.tensor:
        plain = 0 if kernel.instructions else kernel.flops / (card.fp32 * SIMT_SHARE * share)
        return max(memory, cache, issued, plain)
    # Whole rounds of blocks, each as long as the last one of it.
    rounds = math.ceil(kernel.blocks / card.multiprocessors)
    busy = kernel.blocks / (rounds * card.multiprocessors)
    through = kernel.shared_bytes / (card.multiprocessors * SHARED_BYTES * card.clock * SHARED_SHARE * busy)
    reached = GROUP_SHARE if kernel.groups else card.mma_share * tensor_share
    peak = card.bf16 * reached * kernel.efficiency
    return max(memory, cache, issued, through, kernel.flops / (peak * busy))


def graph_time(card, all_kernels, memory_share=MEMORY_SHARE, tensor_share=TENSOR_SHARE):
    """Seconds of a CUDA graph, kernel after kernel. A block waits for the row that it norms (L2), for its first
    weights (memory), and its result for the L2."""
    exposed = card.launch + card.seconds(card.memory_cycles + 2 * card.l2_cycles)
    return sum(k.count * (exposed + card.seconds(k.cycles) + work_time(card, k, memory_share, tensor_share))
               for k in all_kernels)


def persistent_time(card, all_kernels, tensor_share=TENSOR_SHARE):
    """Seconds of one kernel that walks the layers (plugins/gemma/cuda, `step: persistent`). Each block asks for the
    weights of its next task before it waits: those of the layers come from memory while others wait, and a part takes
    its wait and what its blocks read from the L2, all parts one after another; or the memory of all of them is what
    takes longer. Of the head only the first row of a block comes ahead: it waits, and then it reads. Its tasks are as
    many as there are blocks, and none is left to be waited for; where it has more, whole rounds count."""
    resident = STEP_BLOCKS * card.multiprocessors
    wait = card.seconds(WAIT_TRIPS * card.l2_cycles)
    memory = chain = head = 0.0
    for k in all_kernels:
        if k.name == "head":
            tasks = max(k.blocks, resident)
            rounds = math.ceil(tasks / resident) * resident / tasks
            whole = dataclasses.replace(k, blocks=tasks)
            head += wait + rounds * work_time(card, whole, PERSISTENT_SHARE, tensor_share)
            continue
        memory += k.count * k.bytes / (card.memory * PERSISTENT_SHARE)
        chain += k.count * (wait + work_time(card, dataclasses.replace(k, bytes=0.0), PERSISTENT_SHARE, tensor_share))
    return card.launch + max(memory, chain) + head


def draw_time(card, rows):
    """Seconds of the kernel that chooses the rows' tokens, at the head of a step that nobody asked for yet."""
    return graph_time(card, [pointwise("draw", 1, rows, DRAW_BYTES, 0.0)]) + card.seconds(DRAW_CYCLES)


def bound_time(card, all_kernels):
    """Seconds that no kernel can be below: each byte once at full bandwidth, or each operation at full speed."""
    return max(sum(k.count * k.bytes for k in all_kernels) / card.memory,
               sum(k.count * k.flops for k in all_kernels) / card.bf16)


def fastest(card, sizes, step, dtype, seconds, tiled_attention=False, screened=0):
    """(seconds, kernels, tiled) of the kind of product that `seconds(kernels)` likes better."""
    both = [(kernels(card, sizes, step, dtype, tiled, tiled_attention, screened), tiled) for tiled in (False, True)]
    return min(((seconds(each), each, tiled) for each, tiled in both), key=lambda one: one[0])
