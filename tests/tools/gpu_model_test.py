"""tools/gpu_model against sums made by hand, and its answers to files that are none."""
import dataclasses
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/lib"))
sys.dont_write_bytecode = True
from fetch import Failure  # noqa: E402
from gpu import cards, roofline, sizes  # noqa: E402

SMALL = sizes.KNOWN["gemma-3-270m"]
H200 = cards.find("h200")
# Round numbers: a microsecond is 1000 clocks, a byte takes a nanosecond.
ROUND = cards.Card("round", memory=1e9, bf16=1e12, int8=2e12, fp32=1e11, multiprocessors=10, clock=1e9, l2=4e9,
                   l2_cycles=100, memory_cycles=300, launch=2e-6)


def run(*arguments):
    return subprocess.run([ROOT / "tools/gpu_model", *arguments], capture_output=True, text=True, timeout=60)


class Sizes(unittest.TestCase):
    def test_counts_the_weights_of_270m(self):
        # 640 * (1024 + 256 + 256 + 1024 + 3 * 2048), and 262144 rows of 640.
        self.assertEqual(SMALL.layer_weights, 5_570_560)
        self.assertEqual(SMALL.weights, 18 * 5_570_560 + 167_772_160)

    def test_reads_a_gguf_file(self):
        # As tests/golden/make_tiny.py made it.
        tiny = sizes.find(str(ROOT / "tests/fixtures/tiny/tiny_gqa.gguf"))
        self.assertEqual((tiny.hidden, tiny.layers, tiny.heads, tiny.kv_heads, tiny.head_dim, tiny.ffn, tiny.window),
                         (32, 8, 4, 2, 24, 48, 11))
        self.assertEqual((tiny.full_layers, tiny.vocab), (1, 576))

    def test_reads_the_text_part_of_a_folder(self):
        plain = sizes.find(str(ROOT / "tests/fixtures/folders/plain"))
        self.assertEqual((plain.hidden, plain.layers, plain.full_layers, plain.vocab), (32, 7, 1, 576))
        self.assertEqual(sizes.find(str(ROOT / "tests/fixtures/folders/multimodal")).hidden, 32)

    def test_refuses_a_gguf_file_cut_anywhere(self):
        whole = (ROOT / "tests/fixtures/tiny/tiny.gguf").read_bytes()
        for length in (3, 12, 23, 100, 5000):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "cut.gguf"
                path.write_bytes(whole[:length])
                with self.assertRaises(Failure) as raised:
                    sizes.find(str(path))
            self.assertEqual(raised.exception.code, 65)

    def test_refuses_counts_beyond_the_file(self):
        head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"a" + struct.pack("<IIQ", 9, 4, 1 << 60)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "huge.gguf"
            path.write_bytes(head)
            with self.assertRaisesRegex(Failure, "ends within its head"):
                sizes.find(str(path))

    def test_refuses_another_architecture_and_sizes_that_are_none(self):
        config = json.loads((ROOT / "tests/fixtures/folders/plain/config.json").read_text())
        for change, said in (({"model_type": "llama"}, "model_type is 'llama'"), ({"hidden_size": -3}, "hidden is -3"),
                             ({"head_dim": "16"}, "head_dim is '16'")):
            with tempfile.TemporaryDirectory() as folder:
                (pathlib.Path(folder) / "config.json").write_text(json.dumps(config | change))
                with self.assertRaisesRegex(Failure, said):
                    sizes.find(folder)


class Step(unittest.TestCase):
    def kernels(self, batch, context=512, **kinds):
        step = roofline.decode_step(SMALL, batch, context)
        return {k.name: k for k in roofline.kernels(H200, SMALL, step, "bf16", **kinds)}

    def test_a_decoding_step_has_five_launches_a_layer(self):
        self.assertEqual(sum(k.count for k in self.kernels(1).values()), 1 + 5 * 18 + 2)

    def test_a_tiled_step_has_eight(self):
        self.assertEqual(sum(k.count for k in self.kernels(64, tiled=True).values()), 1 + 8 * 18 + 4)

    def test_down_reads_its_weights_once(self):
        down = self.kernels(1)["down"]
        self.assertEqual(down.bytes, 2048 * 640 * 2 + (2048 + 640) * 4)
        self.assertEqual(down.flops, 2 * 2048 * 640)

    def test_int8_has_34_bytes_for_32_weights(self):
        step = roofline.decode_step(SMALL, 1, 1)
        down = next(k for k in roofline.kernels(H200, SMALL, step, "int8") if k.name == "down")
        self.assertEqual(down.bytes, 2048 * 640 / 32 * 34 + (2048 + 640) * 4)

    def test_codes_cost_instructions_and_lanes_beyond_a_row(self):
        # 2048 columns of down are 2 turns of a warp's 1024 int4 columns, whole ones; 640 of qkv are one, for 1024.
        step = roofline.decode_step(SMALL, 1, 1)
        kernels = {k.name: k for k in roofline.kernels(H200, SMALL, step, "int4")}
        self.assertEqual(kernels["down"].bytes, 2048 * 640 / 32 * 18 + (2048 + 640) * 4)
        self.assertEqual(kernels["down"].instructions, 2048 * 640 * (3 + 1.5))
        self.assertEqual(kernels["qkv"].instructions, 1024 * 1536 * (3 + 1.5))

    def test_tiles_are_chosen_as_the_engine_does(self):
        # As geometry_test.cpp has them.
        wanted = {(2048, 1536): 256, (2048, 640): 128, (2048, 4096): 256, (64, 640): 64, (9, 4096): 64, (256, 262_144): 256}
        self.assertEqual({size: roofline.best_tile(*size).outputs for size in wanted}, wanted)

    def test_tiles_of_warpgroups_are_chosen_as_the_engine_does(self):
        wanted = {(2048, 1536): 256, (2048, 640): 128, (8192, 640): 160, (2048, 4096): 256, (64, 640): 64, (9, 4096): 64}
        chosen = {size: roofline.best_tile(*size, has_groups=True) for size in wanted}
        self.assertEqual({size: tile.outputs for size, tile in chosen.items()}, wanted)
        self.assertEqual([size for size, tile in chosen.items() if not tile.groups], [(64, 640), (9, 4096)])

    def test_all_choices_are_those_of_the_engine(self):
        # geometry_test.cpp holds geometry.cpp against the same table.
        found = {"tiles": 0, "attention": 0}
        for line in (ROOT / "tests/fixtures/gpu_choices.txt").read_text().splitlines():
            if line.startswith("#"):
                continue
            what, *numbers = line.split()
            rows, *given, wanted = map(int, numbers)
            if what == "tiles":
                outputs, has_groups, *block = given
                tile = roofline.best_tile(rows, outputs, bool(has_groups))
                self.assertEqual([tile.rows, tile.outputs, int(tile.groups)], [*block, wanted], line)
            else:
                heads, kv_heads, head_dim, processors = given
                model = dataclasses.replace(SMALL, heads=heads, kv_heads=kv_heads, head_dim=head_dim)
                card = dataclasses.replace(H200, multiprocessors=processors)
                self.assertEqual(roofline.best_groups(card, model, rows)[0], wanted, line)
            found[what] += 1
        self.assertGreater(min(found.values()), 60)

    def test_two_small_blocks_of_a_warpgroup_share_a_processor(self):
        # 364 blocks of 64 rows by 132 processors: of 128 numbers a head 264 at once, of 256 three rounds.
        self.assertEqual(roofline.groups_time(H200, 128, 1, 364), 2 / 0.55 + 1 / 0.40)
        self.assertEqual(roofline.groups_time(H200, 256, 1, 364), 3 / 0.40)
        self.assertEqual(roofline.groups_time(H200, 128, 2, 182), roofline.groups_time(H200, 256, 2, 182))

    def test_only_bf16_on_cards_that_have_them_goes_by_warpgroups(self):
        step = roofline.prefill_step(SMALL, 0, 2048, 1)
        for card, dtype, wanted in (("h200", "bf16", {"qkv", "out", "gate_up", "down", "attention, all", "attention, window"}),
                                    ("h200", "int8", {"attention, all", "attention, window"}), ("a100", "bf16", set())):
            kernels = roofline.kernels(cards.find(card), SMALL, step, dtype, tiled=True, tiled_attention=True)
            self.assertEqual({k.name for k in kernels if k.groups}, wanted)

    def test_warpgroups_read_keys_once_for_64_rows_and_write_gates_as_bf16(self):
        # Blocks of one warpgroup have 16 tokens, of two 32, which are half of the processors of 2048 tokens. Keys are
        # those of the mean row, of a tile's tokens and of a page; K and V of 256 bf16. Written, and read by each
        # warpgroup, which reads its queries for each page.
        for rows, blocks, tokens, groups in ((2048, 128, 16, 1), (4096, 128, 32, 2)):
            step = roofline.prefill_step(SMALL, 8192, rows, 0)
            kernels = {k.name: k for k in roofline.kernels(H200, SMALL, step, "bf16", tiled=True, tiled_attention=True)}
            everything = kernels["attention, all"]
            self.assertEqual(everything.blocks, blocks)
            seen = 8192 + (rows + 1) / 2 + tokens + 64
            self.assertEqual(everything.l2_bytes, blocks * seen * 1024)
            self.assertEqual(everything.shared_bytes, blocks * seen * 512 * (2 + groups * 3))
            self.assertEqual(kernels["gate_up"].bytes, 640 * 4096 * 2 + rows * 640 * 2 + rows * 2048 * 2)

    def test_sliding_layers_read_their_window_and_full_ones_all(self):
        some = self.kernels(2, context=4096)
        rows = 2 * 2 * 4 * 256 * 4  # queries in and out
        self.assertEqual(some["attention, window"].bytes, 2 * 512 * 2 * 256 * 2 + rows)
        self.assertEqual(some["attention, all"].bytes, 2 * 4096 * 2 * 256 * 2 + rows)
        self.assertEqual((some["attention, window"].count, some["attention, all"].count), (15, 3))

    def test_scores_leave_the_block_only_by_tiles(self):
        self.assertLess(self.kernels(64)["head"].bytes, 340e6)
        self.assertGreater(self.kernels(64, tiled=True)["head"].bytes, 64 * 262_144 * 4)

    def test_a_screened_head_reads_a_byte_a_weight_and_a_launch_more(self):
        plain, screened = self.kernels(2), self.kernels(2, screened=8)
        self.assertEqual(screened.keys() - plain.keys(), {"screen", "refine"})
        marks = 2 * 262_144 * 4
        self.assertEqual(screened["screen"].bytes, 262_144 * (640 + 8) + marks)
        self.assertEqual(screened["refine"].bytes, 2 * 64 * 640 * 2 + marks)
        self.assertEqual(sum(k.count for k in screened.values()), sum(k.count for k in plain.values()) + 1)

    def test_only_few_rows_of_numbers_are_screened(self):
        self.assertEqual([roofline.can_screen(*what) for what in ((1, "bf16"), (8, "bf16"), (9, "bf16"), (1, "int8"))],
                         [True, True, False, False])

    def test_a_prompt_counts_the_operations_of_causal_attention(self):
        # 2 * 100,270,080 weights of layers * 32768; 3 layers * 4 * 1024 * the sum of 1..32768, and 15 of which each
        # sees 512 at most.
        n = 32_768
        by_hand = (2 * 100_270_080 * n + 3 * 4096 * n * (n + 1) // 2
                   + 15 * 4096 * (512 * 513 // 2 + (n - 512) * 512) + 2 * 167_772_160)
        for chunk in (n, 2048):
            steps = [roofline.prefill_step(SMALL, begin, chunk, int(begin + chunk == n)) for begin in range(0, n, chunk)]
            flops = sum(k.flops * k.count for step in steps for k in roofline.kernels(H200, SMALL, step, "bf16"))
            self.assertAlmostEqual(flops / by_hand, 1, places=3)


class Time(unittest.TestCase):
    def test_a_kernel_takes_its_slowest_stream(self):
        # 9000 bytes at 0.9 bytes a nanosecond; 20000 of the L2 at 4; 1e6 operations at half of 1e11.
        for l2, flops, microseconds in ((0, 0, 10), (80_000, 0, 20), (0, 2e6, 40)):
            kernel = roofline.Kernel("k", 1, 9000, flops, 10, l2)
            self.assertAlmostEqual(roofline.work_time(ROUND, kernel, 0.9, 0.6) * 1e6, microseconds)

    def test_few_blocks_compute_and_pull_little(self):
        one_of_ten = roofline.Kernel("k", 1, 0, 2e6, 1)
        self.assertAlmostEqual(roofline.work_time(ROUND, one_of_ten, 0.9, 0.6) * 1e6, 400)
        h200_alone = roofline.Kernel("k", 1, 1e6, 0, 1)
        self.assertAlmostEqual(roofline.work_time(H200, h200_alone, 0.9, 0.6), 1e6 / (48 * 1.83e9))

    def test_tensor_units_give_their_share(self):
        kernel = roofline.Kernel("k", 1, 0, 3e6, 10, tensor=True)
        self.assertAlmostEqual(roofline.work_time(ROUND, kernel, 0.9, 0.6) * 1e6, 5)

    def test_warpgroups_give_their_share_of_the_peak(self):
        kernel = roofline.Kernel("k", 1, 0, 3e6, 10, tensor=True, groups=True, efficiency=0.5)
        self.assertAlmostEqual(roofline.work_time(ROUND, kernel, 0.9, 0.6) * 1e6, 3 / (roofline.GROUP_SHARE * 0.5))

    def test_tiles_wait_for_the_last_round_and_for_shared_memory(self):
        # 11 blocks on 10 multiprocessors are two rounds, of which 9 twentieths idle.
        rounds = roofline.Kernel("k", 1, 0, 3e6, 11, tensor=True)
        self.assertAlmostEqual(roofline.work_time(ROUND, rounds, 0.9, 0.6) * 1e6, 5 * 20 / 11)
        # 128 bytes a clock of each of ten, of which 0.85 is reached.
        shared = roofline.Kernel("k", 1, 0, 3e6, 10, tensor=True, shared_bytes=128 * 10 * 0.85 * 7000)
        self.assertAlmostEqual(roofline.work_time(ROUND, shared, 0.9, 0.6) * 1e6, 7)

    def test_a_tile_reads_shared_memory_for_each_warp(self):
        # 128 and 256 numbers written for a column, 8 warps of 64 x 64 read them.
        self.assertEqual(roofline.TILES[0].shared_bytes(10), 2 * 10 * (128 + 256 + 8 * 128))

    def test_instructions_that_are_counted_are_issued(self):
        kernel = roofline.Kernel("k", 1, 0, 9e9, 10, instructions=2e6)
        self.assertAlmostEqual(roofline.work_time(ROUND, kernel, 0.9, 0.6) * 1e6, 2e6 / (5e10 * 0.8) * 1e6)

    def test_a_graph_adds_launches_and_latencies(self):
        # Each of three: 2 us, and 300 + 2 * 100 clocks; and 10 us of work.
        kernels = [roofline.Kernel("k", 3, 9000, 0, 10)]
        self.assertAlmostEqual(roofline.graph_time(ROUND, kernels, 0.9, 0.6) * 1e6, 3 * (2 + 0.5 + 10))

    def test_a_persistent_kernel_is_its_memory_or_its_chain(self):
        # A wait is 6 trips of 100 clocks; what comes ahead costs only what the blocks read from the L2.
        work, chain = roofline.Kernel("k", 3, 7800, 0, 10), roofline.Kernel("k", 300, 0, 0, 10)
        self.assertAlmostEqual(roofline.persistent_time(ROUND, [work]) * 1e6, 2 + 3 * 10)
        self.assertAlmostEqual(roofline.persistent_time(ROUND, [chain]) * 1e6, 2 + 300 * 0.6)
        cached = roofline.Kernel("k", 300, 780, 0, 10, l2_bytes=4000)
        self.assertAlmostEqual(roofline.persistent_time(ROUND, [cached]) * 1e6, 2 + 300 * (0.6 + 1))

    def test_a_persistent_kernel_waits_for_the_head_and_for_its_last_tasks(self):
        for blocks, rounds in ((20, 1), (30, 1), (45, 4 / 3)):
            head = roofline.Kernel("head", 1, 7800, 0, blocks)
            self.assertAlmostEqual(roofline.persistent_time(ROUND, [head]) * 1e6, 2 + 0.6 + 10 * rounds)

    def test_more_rows_than_the_persistent_kernel_has_go_as_a_graph(self):
        told = json.loads(run("--card", "h200", "--batch", "8,9", "--prefill", "", "--json").stdout)["decode"]
        few, many = ({way: row["ways"][way]["us"] for way in ("graph", "persistent")} for row in told)
        self.assertLess(few["persistent"], few["graph"])
        self.assertEqual(many["persistent"], many["graph"])

    def test_latencies_of_a_kernel_are_added(self):
        kernels = [roofline.Kernel("k", 1, 9000, 0, 10, cycles=700)]
        self.assertAlmostEqual(roofline.graph_time(ROUND, kernels, 0.9, 0.6) * 1e6, 2 + 0.5 + 0.7 + 10)

    def test_a_screened_head_is_faster_where_rows_are_few_and_as_fast_where_not(self):
        told = json.loads(run("--batch", "1,8,9", "--prefill", "", "--best", "72", "--json").stdout)["decode"]
        for row in told:
            graph, screened = row["ways"]["graph"]["us"], row["ways"]["screened"]["us"]
            (self.assertEqual if row["batch"] > 8 else self.assertGreater)(graph, screened, row["card"])
        codes = json.loads(run("--batch", "1", "--prefill", "", "--dtype", "int8", "--json").stdout)["decode"][0]["ways"]
        self.assertEqual(codes["graph"]["us"], codes["screened"]["us"])

    def test_nothing_is_faster_than_the_bound(self):
        for card in cards.ALL.values():
            for batch in (1, 7, 64, 256):
                step = roofline.decode_step(SMALL, batch, 512)
                for tiled in (False, True):
                    kernels = roofline.kernels(card, SMALL, step, "bf16", tiled)
                    bound = roofline.bound_time(card, kernels)
                    self.assertLess(bound, roofline.graph_time(card, kernels))
                    self.assertLess(bound, roofline.persistent_time(card, kernels))

    def test_the_bound_of_one_token_on_an_h100(self):
        # 536 MB of weights at 3.35 TB/s are 0.16 ms, the cache of 512 tokens 9 MB more.
        kernels = roofline.kernels(cards.find("h100"), SMALL, roofline.decode_step(SMALL, 1, 512), "bf16")
        self.assertAlmostEqual(roofline.bound_time(cards.find("h100"), kernels) * 1e3, 0.163, places=3)


class Program(unittest.TestCase):
    def test_json_has_what_the_table_shows(self):
        ran = run("--card", "h200,l4", "--batch", "1", "--prefill", "512", "--json")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        said = json.loads(ran.stdout)
        self.assertEqual([row["card"] for row in said["decode"]], ["h200", "l4"])
        shown = run("--card", "h200,l4", "--batch", "1", "--prefill", "512").stdout
        self.assertIn("Predicted, not measured", shown)
        for row in said["decode"]:
            self.assertIn(f"{row['ways']['graph']['tokens_per_second']:,.0f}", shown)

    def test_costlier_launches_cost_each_launch(self):
        times = []
        for cost in ("1", "2"):
            ran = run("--card", "h200", "--batch", "1", "--prefill", "", "--launch-us", cost, "--json")
            times.append(json.loads(ran.stdout)["decode"][0]["ways"]["graph"]["us"])
        self.assertAlmostEqual(times[1] - times[0], 93)

    def test_a_step_ahead_hides_the_host_or_is_as_long_as_it(self):
        def host(microseconds):
            ran = run("--card", "h200", "--batch", "8", "--prefill", "", "--json",
                      "--host-us", str(microseconds), "--host-row-us", "0")
            self.assertEqual(ran.returncode, 0, ran.stderr)
            row = json.loads(ran.stdout)["decode"][0]
            return row["ways"]["graph"]["us"], row["host"]["waited"]["us"], row["host"]["ahead"]["us"]

        draw = roofline.draw_time(H200, 8) * 1e6
        self.assertLess(draw, 5)
        for microseconds in (50, 5000):
            step, waited, ahead = host(microseconds)
            self.assertAlmostEqual(waited, step + microseconds)
            self.assertAlmostEqual(ahead, max(step + draw, microseconds))

    def test_says_what_is_wrong(self):
        for arguments, code, said in ((["--card", "h20"], 2, "did you mean 'h200'"),
                                      (["--model", "/nowhere.gguf"], 66, "there is no '/nowhere.gguf'"),
                                      (["--batch", "0"], 2, "invalid list of numbers"),
                                      (["--prefill", "40000"], 2, "sees 32768 tokens at most"),
                                      (["--memory-share", "1.5"], 2, "invalid share"),
                                      (["--host-us", "-1"], 2, "--host-row-us are 0 or more")):
            ran = run(*arguments)
            self.assertEqual(ran.returncode, code, ran.stderr)
            self.assertIn(said, ran.stderr)


if __name__ == "__main__":
    unittest.main()
