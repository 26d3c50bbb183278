"""NAME ARGUMENTS...: stands in for every program that tools/gpu_check runs, in its dry run. It answers as they do, with
made up figures. GPU_CHECK_FAKE changes that, as the tests need it: "WORDS=CODE" or "WORDS=hang", with ; between, for
commands in which all the words stand."""
import json
import os
import pathlib
import sys
import time


def option(arguments, name):
    return arguments[arguments.index(name) + 1]


def bench(arguments):
    """What pipeline-bench --json writes, as far as it is read."""
    devices = []
    batch = int(option(arguments, "--batch"))
    for i, name in enumerate(option(arguments, "--device").split(",")):
        speed = 1 + 9 * i
        requests = [{"first_ms": (40 + run) / speed, "between_ms": [(10 + run + 0.1 * token) / speed for token in range(9)],
                     "whole_ms": (700 + 9 * run) / speed} for run in range(9)]
        # Of one sequence, as pipeline-bench says it, not of the batch.
        devices.append({"name": name, "device": name, "dtype": "bf16", "open_s": 0.5, "batches": [{
            "batch": batch, "decode_tokens_per_s": 1000.0, "requests": requests,
            "prefill_tokens_per_s": 950_000.0 if "batch.max_step_tokens=8192" in arguments else 50_000.0}]})
    pathlib.Path(option(arguments, "--json")).write_text(
        json.dumps({"pipeline": "gemma_text", "model": "fake", "devices": devices}))
    if "--html" in arguments:
        pathlib.Path(option(arguments, "--html")).write_text("<p>a fake report</p>")


def say(name, arguments):
    answers = {
        "nvidia-smi": "NVIDIA H200 (fake), 580.00, 143771, 143000, 9.0",
        "nvcc": "Cuda compilation tools, release 13.0 (fake)",
        "gemma_test": "[==========] 32 tests from 4 test suites ran.\n[  PASSED  ] 32 tests.",
        "nsys": "Time (%),Total Time (ns),Instances,Avg,Med,Min,Max,StdDev,Name\n60,100,2,50,50,50,50,0,head",
        "ncu": '"ID","Kernel Name","Metric Value"\n"0","head","91"',
        "python3": json.dumps({"eager": {"decode_tokens_per_s": 60.0, "prefill_tokens_per_s": 9000.0},
                               "compiled": "not run: fake"}),
    }
    if name == "pipeline-inspect":
        return json.dumps({"why_no_cuda": "", "devices": [{"device": "cpu"}, {"device": "cuda:0"}]})
    if name == "pipeline-run":
        return "3 requests, 0 beyond the tolerance"
    return answers.get(name, "")


def planned(words):
    """What GPU_CHECK_FAKE says of a command: a code, "hang", or None."""
    for rule in filter(None, os.environ.get("GPU_CHECK_FAKE", "").split(";")):
        wanted, _, what = rule.rpartition("=")
        if all(any(each in word for word in words) for each in wanted.split()):
            return what
    return None


def main():
    name, *arguments = sys.argv[1:]
    what = planned([name, *arguments])
    if what == "hang":
        time.sleep(600)
    if name == "pipeline-bench":
        bench(arguments)
    print(say(name, arguments))
    if name == "pipeline-run" and what == "2":
        print("pipeline-run: engine: native: it needs sizes that are multiples of 32; use engine: reference")
    if what is not None:
        print(f"{name}: as GPU_CHECK_FAKE wants it")
        return int(what)
    if name == "compute-sanitizer":
        # The bug's name is the last word, and each tool has its own.
        return 9 if arguments[-1] == option(arguments, "--tool") else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
