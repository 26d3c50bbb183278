"""tools/gpu_check in its dry run, where fake tools stand in for a GPU's, and what it makes of tools that fail."""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/lib"))
sys.dont_write_bytecode = True
from fetch import Failure  # noqa: E402
from gpu import bars, parts, random_model, report, running, sizes  # noqa: E402

TINY = ROOT / "tests/fixtures/tiny/tiny_gqa.gguf"


class InFolder(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = pathlib.Path(kept.name)

    def dry_run(self, *arguments, fake=""):
        """(exit code, what it said, the parts of the report by name)"""
        out = self.folder / "out"
        ran = subprocess.run([ROOT / "tools/gpu_check", "--dry-run", "--out", out, *arguments], capture_output=True,
                             text=True, timeout=100, env={**os.environ, "GPU_CHECK_FAKE": fake})
        told = {each["name"]: each for each in json.loads((out / "report.json").read_text())["parts"]}
        return ran.returncode, ran.stderr, told


class DryRun(InFolder):
    def test_walks_through_every_part_and_writes_the_report(self):
        code, said, told = self.dry_run()
        self.assertEqual(code, 0, said)
        self.assertEqual(list(told), [part.name for part in parts.ALL])
        self.assertEqual({each["state"] for each in told.values()}, {"passed"}, said)
        page = (self.folder / "out/report.html").read_text()
        self.assertIn("every figure is made up", page)
        self.assertIn("<svg", page)
        # 1000 tokens/s at batch 1 of the fake card, which is known as an H200: 8,700 and some are the bound.
        decode = told["throughput"]["values"]["decode, batch 1"]
        self.assertAlmostEqual(decode["share_of_bound"], 1000 / 8800, delta=0.01)
        self.assertEqual(told["throughput"]["values"]["decode, batch 64"]["tokens_per_second"], 64_000)
        self.assertAlmostEqual(told["transformers"]["values"]["ours, times as fast as eager"], 1000 / 60)
        ways = told["ways"]["values"]
        self.assertEqual(ways["persistent, times as fast, batch 8"], 1.0)
        self.assertEqual(ways["screened, times as fast, batch 1"], 1.0)
        for way in ("persistent", "screened"):
            self.assertGreater(ways[f"{way}, batch 1"]["predicted"], ways["graph, batch 1"]["predicted"])
        for each in told.values():
            for command in each["commands"]:
                self.assertTrue((self.folder / "out" / command["log"]).exists())

    def test_says_which_bars_are_met(self):
        self.dry_run("--only", "throughput,transformers")
        whole = json.loads((self.folder / "out/report.json").read_text())
        self.assertEqual([(row["asked"], row["measured"], row["state"]) for row in whole["bars"][:4]],
                         [("at least 1,500", "1,000", "missed"), ("at least 40,000", "64,000", "met"),
                          ("at least 10.00", "16.67", "met"), ("at least 40.0%", "41.6%", "met")])
        self.assertEqual((whole["bars"][4]["asked"], whole["bars"][4]["state"]), ("at most 1.50", "met"))
        long = next(each for each in whole["parts"] if each["name"] == "throughput")["values"]
        self.assertLess(long["prompt of 32766"]["share_of_peak"], 0.05)
        self.assertLess(long["prompt of 32766"]["predicted"], long[bars.LONG]["predicted"])
        command = next(each["command"] for each in whole["parts"][3]["commands"] if "batch.chunk=8192" in each["command"])
        self.assertEqual(command[command.index("--prompt-tokens") + 1], "32766")
        page = (self.folder / "out/report.html").read_text()
        self.assertIn('<span class="missed">missed</span>', page)
        self.assertIn("<td>at least 40.0%</td><td>41.6%</td>", page)

    def test_says_why_a_bar_was_not_measured(self):
        self.dry_run("--only", "throughput,transformers", fake="pipeline-bench decode-64=1;python3 -c=1")
        rows = json.loads((self.folder / "out/report.json").read_text())["bars"]
        self.assertEqual([row["state"] for row in rows], ["missed", "not measured", "not measured", "not measured", "met"])
        self.assertIn("exit 1", rows[1]["reason"])
        self.assertIn("no torch with CUDA", rows[2]["reason"])

    def test_draws_both_devices_for_prompts_and_for_tokens(self):
        _, _, told = self.dry_run("--only", "box_plot")
        plots = told["box_plot"]["values"]
        self.assertEqual([(title, list(boxes)) for title, boxes in plots.items()],
                         [(title, ["cpu", "cuda:0"]) for title in parts.LATENCIES])
        self.assertEqual([len(boxes["cuda:0"]) for boxes in plots.values()], [9, 81, 9])
        page = (self.folder / "out/report.html").read_text()
        for title in parts.LATENCIES:
            self.assertIn(f'aria-label="{title}, by device"', page)

    def test_a_difference_between_cpu_and_gpu_fails_and_is_named(self):
        code, said, told = self.dry_run("--only", "parity,counted", fake="pipeline-run --compare=1")
        self.assertEqual(code, 1)
        self.assertEqual(told["parity"]["state"], "failed")
        self.assertIn("as GPU_CHECK_FAKE wants it", told["parity"]["reason"])
        self.assertEqual(told["counted"]["state"], "passed")

    def test_a_model_of_sizes_that_an_engine_refuses_is_compared_without_it(self):
        code, said, told = self.dry_run("--only", "parity", fake="pipeline-run reference,native=2")
        self.assertEqual(code, 0, said)
        values = told["parity"]["values"]
        self.assertIn("not compared: engine: native: it needs sizes", values["bf16, reference on the GPU"])
        self.assertIn("3 requests", values["fp32"])

    def test_another_text_of_one_kernel_fails(self):
        code, _, told = self.dry_run("--only", "ways", fake="forward.step=persistent=0")
        self.assertEqual(code, 1)
        self.assertIn("persistent writes other texts", told["ways"]["reason"])

    def test_another_text_of_a_screened_head_fails(self):
        code, _, told = self.dry_run("--only", "ways", fake="forward.step=screened=0")
        self.assertEqual(code, 1)
        self.assertIn("screened writes other texts", told["ways"]["reason"])

    def test_another_refusal_fails(self):
        code, _, told = self.dry_run("--only", "parity", fake="pipeline-run --compare=64")
        self.assertEqual(code, 1)
        self.assertIn("exit 64", told["parity"]["reason"])

    def test_a_sanitizer_that_misses_its_bug_is_not_believed(self):
        code, said, told = self.dry_run("--only", "planted,sanitized", fake="compute-sanitizer racecheck planted_bugs=0")
        self.assertEqual(code, 1)
        self.assertIn("racecheck does not find its planted bug", told["planted"]["reason"])
        self.assertEqual(told["sanitized"]["state"], "not run")
        self.assertIn("have not proven themselves", told["sanitized"]["reason"])

    def test_a_sanitizer_that_finds_too_much_is_not_believed(self):
        _, _, told = self.dry_run("--only", "planted", fake="memcheck planted_bugs none=9")
        self.assertIn("memcheck finds a bug where there is none", told["planted"]["reason"])

    def test_a_tool_that_dies_is_told(self):
        code, _, told = self.dry_run("--only", "profiled,tests", fake="nsys profile=134;gemma_test=1")
        self.assertEqual(code, 1)
        self.assertIn("exit 134", told["profiled"]["reason"])
        self.assertEqual(told["tests"]["state"], "failed")

    def test_without_transformers_it_says_so(self):
        code, _, told = self.dry_run("--only", "transformers", fake="python3 -c=1")
        self.assertEqual(code, 0)
        self.assertEqual(told["transformers"]["state"], "not run")
        self.assertIn("no torch with CUDA", told["transformers"]["reason"])

    def test_without_time_the_rest_is_left_out_and_told(self):
        code, _, told = self.dry_run("--seconds", "12")
        self.assertEqual(told["machine"]["state"], "passed")
        self.assertEqual(told["parity"]["state"], "not run")
        self.assertIn("no time was left", told["parity"]["reason"])
        self.assertEqual(code, 0)

    def test_overwrites_nothing(self):
        (self.folder / "mine").write_text("mine")
        ran = subprocess.run([ROOT / "tools/gpu_check", "--dry-run", "--out", self.folder], capture_output=True, text=True,
                             timeout=60)
        self.assertEqual(ran.returncode, 2)
        self.assertIn("is not empty", ran.stderr)


class WithoutAGpu(InFolder):
    @unittest.skipIf(shutil.which("nvidia-smi"), "there is a driver here")
    def test_it_ends_with_69_and_a_reason(self):
        out = self.folder / "out"
        ran = subprocess.run([ROOT / "tools/gpu_check", "--out", out], capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 69)
        self.assertIn("nvidia-smi is not installed here", ran.stderr)
        self.assertFalse(json.loads((out / "report.json").read_text())["is_dry_run"])

    @unittest.skipUnless(shutil.which("nvcc") or pathlib.Path("/usr/local/cuda/bin/nvcc").exists(), "no nvcc")
    def test_the_planted_bugs_compile(self):
        nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
        subprocess.run([nvcc, "-std=c++20", "-arch=sm_90", "-Werror", "all-warnings", "-o", self.folder / "planted",
                        parts.HERE / "planted_bugs.cu"], check=True, timeout=100)


class Running(InFolder):
    def test_what_hangs_is_ended_with_its_children(self):
        runner = running.Runner(self.folder, 60)
        mark = self.folder / "child"
        script = f"(sleep 3; touch {mark}) & sleep 60"
        begin = time.monotonic()
        outcome = runner.part("slow", "Slow", 1.5, 0, lambda _: runner.run(["bash", "-c", script]))
        self.assertEqual(outcome.state, "failed")
        self.assertIn("did not end in", outcome.reason)
        self.assertLess(time.monotonic() - begin, 2.9)
        time.sleep(2)
        self.assertFalse(mark.exists())

    def test_the_next_part_runs_all_the_same(self):
        runner = running.Runner(self.folder, 60)

        def wrong(_):
            raise KeyError("devices")

        self.assertEqual(runner.part("a", "A", 5, 0, wrong).state, "failed")
        self.assertIn("not understood", runner.outcomes[0].reason)
        self.assertEqual(runner.part("b", "B", 5, 0, lambda _: runner.must(["true"])).state, "passed")

    def test_a_program_that_is_not_here_is_no_fault(self):
        runner = running.Runner(self.folder, 60)
        outcome = runner.part("a", "A", 5, 0, lambda _: runner.find("no-such-program"))
        self.assertEqual((outcome.state, outcome.reason), ("not run", "no-such-program is not installed here"))


class RandomModel(InFolder):
    def test_has_the_sizes_and_keys_of_the_real_one(self):
        head, made = self.folder / "head", self.folder / "made.gguf"
        random_model.keep_head(TINY, head)
        self.assertLess(head.stat().st_size, TINY.stat().st_size)
        random_model.write(head, made)
        real, ours = sizes.find(str(TINY)), sizes.find(str(made))
        self.assertEqual((real.hidden, real.layers, real.vocab, real.ffn), (ours.hidden, ours.layers, ours.vocab, ours.ffn))
        shapes = random_model.split(made, made.read_bytes())[2]
        self.assertEqual(shapes, random_model.split(TINY, TINY.read_bytes())[2])

    def test_rounds_to_nearest_even(self):
        # 1 + 2^-8 lies between 1 and 1 + 2^-7; the even one is 1.
        for value, bits in ((1.0, 0x3F80), (1 + 2**-8, 0x3F80), (1 + 3 * 2**-8, 0x3F82), (-2.5, 0xC020)):
            self.assertEqual(struct.unpack("<H", random_model.bf16([value]))[0], bits)

    def test_refuses_what_is_no_gguf(self):
        (self.folder / "other").write_bytes(b"PK\3\4")
        with self.assertRaisesRegex(Failure, "is no GGUF file"):
            random_model.write(self.folder / "other", self.folder / "made")


class Report(unittest.TestCase):
    def test_boxes_are_quartiles(self):
        self.assertEqual(report.quartiles([1, 2, 3, 4, 5]), (2, 3, 4))
        self.assertEqual(report.quartiles([7]), (7, 7, 7))
        self.assertIn("3 ms", report.box_plot("first", {"cpu": [5, 1, 4, 2, 3]}))
        self.assertEqual(report.box_plot("first", {}), "")

    def test_texts_of_tools_are_escaped(self):
        outcome = running.Outcome("a", "A", "failed", "<script>", values={"<b>": "<i>"})
        self.assertNotIn("<script>", report.section(outcome))
        self.assertNotIn("<b>", report.section(outcome))


if __name__ == "__main__":
    unittest.main()
