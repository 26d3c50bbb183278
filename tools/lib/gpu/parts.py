"""The parts of tools/gpu_check, in their order. Each takes (runner, setup, outcome), fills outcome.values, and raises
NotRun with a reason or Failed with what it found."""
import dataclasses
import json
import pathlib
import re
import time
import types

from fetch import cache_folder
from gpu import bars, cards, predict, roofline, sizes
from gpu.running import Failed, NotRun, last_line, last_lines

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
PIPELINE = ROOT / "pipelines/gemma_text.yaml"
SANITIZERS = ("memcheck", "racecheck", "initcheck", "synccheck")
BATCHES = (1, 8, 64, 256)
WAYS = ("graph", "persistent", "screened")  # of a step of few rows: gemma.forward's param
NEW_TOKENS = 128
LARGE_STEPS = ("--set", f"batch.chunk={bars.LARGE_STEP}", "--set", f"batch.max_step_tokens={bars.LARGE_STEP}")
# (title, tokens, most tokens of a step, options)
PROMPTS = (("prompt of 512", 512, 512, ()), (f"prompt of {bars.LONG_PROMPT}", bars.LONG_PROMPT, 512, ()),
           (bars.LONG, bars.LONG_PROMPT, bars.LARGE_STEP, LARGE_STEPS))
# What pipeline-bench says of each request, as tools/plot_latency draws it.
LATENCIES = {"a prompt of 512 tokens, to its first token": "first_ms", "each token behind it": "between_ms",
             "the whole request": "whole_ms"}
TEXTS = ("Hi", "Explain in detail what AI model training means and why it is important.", "1, 2, 3, 4, 5, 6,")


@dataclasses.dataclass
class Setup:
    build: pathlib.Path
    libtorch: str
    model: str  # a path; empty: that of the cache, else one by chance
    head: str
    python: str  # with torch and transformers
    dry_run: bool = False
    card: object = None  # of gpu.cards, once the machine is known
    sizes: object = None  # of the model, once it is known

    def program(self, name):
        return self.build / "bin" / name


def machine(runner, setup, outcome):
    """What is here: the GPU, its driver, the toolkit."""
    asked = "name,driver_version,memory.total,memory.free,compute_cap"
    ran = runner.must([*runner.find("nvidia-smi"), f"--query-gpu={asked}", "--format=csv,noheader,nounits"], most=30)
    rows = [[cell.strip() for cell in line.split(",")] for line in ran.text.splitlines() if line.count(",") == 4]
    if not rows:
        raise NotRun(f"nvidia-smi names no GPU: {last_line(ran.text)}")
    outcome.values = dict(zip(asked.split(","), rows[0])) | {"gpus": len(rows)}
    plain = re.sub(r"[^a-z0-9]", "", rows[0][0].lower())
    setup.card = next((card for name, card in cards.ALL.items() if name in plain), None)
    outcome.values["known_as"] = setup.card.name if setup.card else None
    try:
        outcome.values["nvcc"] = last_line(runner.must([*nvcc(runner), "--version"], most=30).text)
    except NotRun as reason:
        outcome.values["nvcc"] = str(reason)


def nvcc(runner):
    return runner.find("nvcc", "/usr/local/cuda/bin/nvcc")


def build(runner, setup, outcome):
    """The programs with CUDA: those of --build, else built there."""
    outcome.values["folder"] = str(setup.build)
    if setup.dry_run or setup.program("pipeline-run").exists():
        outcome.values["was"] = "built before"
    else:
        prefix = [f"-DCMAKE_PREFIX_PATH={setup.libtorch}"] if setup.libtorch else []
        runner.must([*runner.find("cmake"), "--preset", "release", "-S", ROOT, "-B", setup.build, "-DPENSTOCK_CUDA=ON",
                     *prefix])
        runner.must([*runner.find("cmake"), "--build", setup.build, "--target", "pipeline_run",
                     "pipeline_bench", "penstock_pipeline_inspect", "penstock_core", "penstock_gemma"])
        engine = runner.run([*runner.find("cmake"), "--build", setup.build, "--target", "penstock_gemma_cuda"])
        outcome.values["CUDA engine"] = "built" if engine.code == 0 else f"not built: {last_line(engine.text)}"
        outcome.values["was"] = "built now"
    ran = runner.must([*program(runner, setup, "pipeline-inspect"), "--devices", "--json"], most=60)
    said = json.loads(ran.text)
    if said["why_no_cuda"]:
        raise Failed(f"these programs cannot use the GPU: {said['why_no_cuda']}")
    outcome.values["devices"] = [each["device"] for each in said["devices"]]


def program(runner, setup, name):
    path = setup.program(name)
    if runner.fake is None and not path.exists():
        raise NotRun(f"there is no {path}")
    return runner.find(path)


def model(runner, setup, outcome):
    """The weights: --model, the fetched ones, or some by chance with the sizes and vocabulary of --head."""
    fetched = cache_folder() / "models/gemma-3-270m/gemma-3-270m-q4_k_m.gguf"
    if not setup.model and not setup.head and setup.dry_run:
        setup.model = "gemma-3-270m"
    if not setup.model and not setup.head and fetched.exists():
        setup.model = str(fetched)
    if not setup.model and setup.head:
        from gpu import random_model
        made = runner.folder / "random.gguf"
        random_model.write(pathlib.Path(setup.head), made)
        setup.model = str(made)
        outcome.values["weights"] = "by chance"
    if not setup.model:
        raise NotRun("no model is here; name one with --model, or the head of one with --head")
    setup.sizes = sizes.find(setup.model)
    outcome.values |= {"model": setup.model, "weights_millions": round(setup.sizes.weights / 1e6, 1)}


def needs_model(setup):
    if not setup.model:
        raise NotRun("there is no model")


def sides():
    """(name, --compare, --set) of what is held against each other."""
    yield "fp32", "cpu,cuda:0", ["forward.dtype=fp32"]
    yield "bf16", "cpu,cuda:0", ["forward.dtype=bf16"]
    yield "weights as they are", "cpu,cuda:0", ["forward.dtype=auto"]
    yield "bf16, reference on the GPU", "reference,native", ["forward.dtype=bf16", "device=cuda:0"]


# What the native engines say of a model whose sizes they do not know; the reference runs it all the same.
UNKNOWN_SIZES = re.compile(r"engine: native: (it needs sizes|\w+ (is|are) (not a|not|more than)|eight rows of hidden)[^;\n]*")


def parity(runner, setup, outcome):
    """The same requests on CPU and GPU, stage by stage and layer by layer, with the first difference named."""
    needs_model(setup)
    apart = []
    for name, compared, settings in sides():
        command = [*program(runner, setup, "pipeline-run"), PIPELINE, "--compare", compared, "--set",
                   f"model={setup.model}", "--set", "decode.max_new_tokens=32"]
        for setting in settings:
            command += ["--set", setting]
        for text in TEXTS:
            command += ["--text", text]
        ran = runner.run(command)
        refused = UNKNOWN_SIZES.search(ran.text)
        if ran.code == 2 and refused:
            outcome.values[name] = f"not compared: {refused.group(0)}"
            continue
        if ran.code not in (0, 1):
            raise Failed(f"{name}: exit {ran.code}: {last_lines(ran.text)}")
        outcome.values[name] = last_line(ran.text)
        if ran.code == 1:
            first = next((line for line in ran.text.splitlines()[1:] if line.strip()), "")
            apart.append(f"{name}: {first.strip()}")
    if apart:
        raise Failed("; ".join(apart))


# Of tests/plugins/gemma: those of each engine that say something of a GPU.
FILTERS = {"reference": "Models/Tiny.*/0:Models/Tiny.*/1:Both/Engines.*/0:Forward.*",
           "native": "Models/Tiny.*/2:Models/Tiny.*/3:Both/Engines.*/1"}


def tests(runner, setup, outcome):
    """The tests of both engines, on the GPU."""
    command = program(runner, setup, "tests/gemma_test")
    wrong = []
    for engine, names in FILTERS.items():
        ran = runner.run([*command, "--gtest_color=no", f"--gtest_filter={names}"],
                         environment={"PENSTOCK_TEST_DEVICE": "cuda"})
        outcome.values[engine] = last_line(ran.text)
        count = re.search(r"(\d+) tests? from", ran.text)
        if not (count and int(count.group(1)) > 0):
            wrong.append(f"{engine}: no test ran: {last_lines(ran.text)}")
        elif ran.code != 0:
            wrong.append(f"{engine}: {last_lines(ran.text)}")
    if wrong:
        raise Failed("; ".join(wrong))


def bench(runner, setup, name, *arguments):
    needs_model(setup)
    out = runner.folder / f"{name}.json"
    command = [*program(runner, setup, "pipeline-bench"), PIPELINE, "--set", f"model={setup.model}", "--quiet", "--json", out]
    runner.must([*command, *arguments])
    devices = json.loads(out.read_text("utf-8"))["devices"]
    for each in devices:
        if "missing" in each:
            raise Failed(f"{each['device']} was missing: {each['missing']}")
    return devices


def box_plot(runner, setup, outcome):
    """Latency on CPU and GPU side by side, as box plots: nine requests of 512 tokens that write 64."""
    devices = bench(runner, setup, "latency", "--device", "cpu,cuda:0", "--batch", "1", "--runs", "9", "--warmup", "2",
                    "--prompt-tokens", "512", "--new-tokens", "64", "--html", runner.folder / "latency.html")
    for title, key in LATENCIES.items():
        outcome.values[title] = {each["device"]: latencies(each["batches"][0]["requests"], key) for each in devices}


def latencies(requests, key):
    """Of all requests; there are many times between tokens in each."""
    found = [request[key] for request in requests]
    return [time for times in found for time in times] if key == "between_ms" else found


def beside_decode(setup, batch, measured):
    """Beside what was measured: what the model predicts, and the share of the memory bound."""
    if setup.card is None or setup.sizes is None:
        return {"tokens_per_second": measured}
    seconds, kernels, _ = roofline.fastest(setup.card, setup.sizes, roofline.decode_step(setup.sizes, batch, 192), "bf16",
                                           lambda all_kernels: roofline.graph_time(setup.card, all_kernels))
    least = roofline.bound_time(setup.card, kernels)
    return {"tokens_per_second": measured, "predicted": batch / seconds, "share_of_bound": measured * least / batch}


def beside_prompt(setup, tokens, chunk, measured):
    """Beside what was measured: what the model predicts, and the share of the card's bf16 peak."""
    if setup.card is None or setup.sizes is None:
        return {"tokens_per_second": measured}
    said = predict.prompt(setup.sizes, setup.card, tokens, types.SimpleNamespace(
        chunk=chunk, dtype="bf16", memory_share=roofline.MEMORY_SHARE, tensor_share=roofline.TENSOR_SHARE))
    return {"tokens_per_second": measured, "predicted": said["ways"]["tiles"]["tokens_per_second"],
            "share_of_peak": measured * said["flops"] / tokens / setup.card.bf16}


def all_decode(load):
    """Tokens a second of all sequences together: pipeline-bench says those of one."""
    return load["decode_tokens_per_s"] * load["batch"]


def throughput(runner, setup, outcome):
    """From the program's start to a token; tokens a second of decoding at several batch sizes, and of long prompts."""
    needs_model(setup)
    command = [*program(runner, setup, "pipeline-run"), PIPELINE, "--device", "cuda:0", "--set", f"model={setup.model}",
               "--set", "decode.max_new_tokens=1", "--text", "Hi"]
    begin = time.monotonic()
    runner.must(command)
    outcome.values[bars.START] = time.monotonic() - begin
    for batch in BATCHES:
        device, = bench(runner, setup, f"decode-{batch}", "--device", "cuda:0", "--batch", batch, "--runs", "3", "--warmup",
                        "1", "--prompt-tokens", "64", "--new-tokens", NEW_TOKENS, "--set", "forward.dtype=bf16")
        outcome.values[f"decode, batch {batch}"] = beside_decode(setup, batch, all_decode(device["batches"][0]))
        outcome.values["opened in, s"] = device["open_s"]
    for title, tokens, chunk, options in PROMPTS:
        device, = bench(runner, setup, title.replace(",", "").replace(" ", "-"), "--device", "cuda:0", "--batch", "1",
                        "--runs", "3", "--warmup", "1", "--prompt-tokens", tokens, "--new-tokens", "2", "--set",
                        "forward.dtype=bf16", *options)
        speed = device["batches"][0]["prefill_tokens_per_s"]
        outcome.values[title] = beside_prompt(setup, tokens, chunk, speed)


def text_of(runner, setup, way):
    """What a pipeline writes of TEXTS, a step each way."""
    command = [*program(runner, setup, "pipeline-run"), PIPELINE, "--device", "cuda:0", "--set", f"model={setup.model}",
               "--quiet", "--set", "decode.max_new_tokens=64", "--set", "forward.dtype=bf16", "--set",
               f"forward.step={way}"]
    return runner.must([*command, *(word for text in TEXTS for word in ("--text", text))]).text


def ways(runner, setup, outcome):
    """A step of few rows as a graph of many kernels, as one kernel and with a screened head: whether all write the same,
    and, measured in turns, which is faster, beside what the model predicts of each."""
    needs_model(setup)
    text = text_of(runner, setup, WAYS[0])
    for way in WAYS[1:]:
        if text_of(runner, setup, way) != text:
            raise Failed(f"step: {way} writes other texts than step: graph")
    for batch in (1, 8):
        speeds = {way: [] for way in WAYS}
        for turn in range(2):
            for way in WAYS:
                device, = bench(runner, setup, f"{way}-{batch}-{turn}", "--device", "cuda:0", "--batch", batch, "--runs", "2",
                                "--warmup", "1", "--prompt-tokens", "64", "--new-tokens", NEW_TOKENS, "--set",
                                "forward.dtype=bf16", "--set", f"forward.step={way}")
                speeds[way].append(all_decode(device["batches"][0]))
        best = {way: max(each) for way, each in speeds.items()}
        for way in WAYS:
            outcome.values[f"{way}, batch {batch}"] = beside_way(setup, way, batch, best[way])
        for way in WAYS[1:]:
            outcome.values[f"{way}, times as fast, batch {batch}"] = best[way] / best["graph"]


def beside_way(setup, way, batch, measured):
    """Beside what was measured of a way: what the model predicts of it."""
    if setup.card is None or setup.sizes is None:
        return {"tokens_per_second": measured}
    screened = 1 if way == "screened" else 0
    kernels = roofline.kernels(setup.card, setup.sizes, roofline.decode_step(setup.sizes, batch, 192), "bf16",
                               screened=screened)
    predicted = roofline.persistent_time if way == "persistent" else roofline.graph_time
    seconds = predicted(setup.card, kernels)
    return {"tokens_per_second": measured, "predicted": batch / seconds}


def transformers(runner, setup, outcome):
    """The same of Hugging Face transformers, eager and compiled, where it is installed."""
    needs_model(setup)
    python = runner.find(setup.python)
    probe = runner.run([*python, "-c", "import torch, transformers; assert torch.cuda.is_available()"], most=60)
    if probe.code != 0:
        raise NotRun(f"{setup.python} has no torch with CUDA and transformers: {last_line(probe.text)}")
    ran = runner.must([*python, HERE / "eager.py", setup.model])
    outcome.values |= json.loads(last_line(ran.text))
    ours = next((each.values.get("decode, batch 1") for each in runner.outcomes if each.name == "throughput"), None)
    if ours:
        ratio = ours["tokens_per_second"] / outcome.values["eager"]["decode_tokens_per_s"]
        outcome.values[bars.EAGER] = ratio


def planted(runner, setup, outcome):
    """compute-sanitizer's tools, each of which must find its planted bug and nothing where there is none."""
    sanitizer = runner.find("compute-sanitizer", "/usr/local/cuda/bin/compute-sanitizer")
    binary = runner.folder / "planted_bugs"
    runner.must([*nvcc(runner), "-std=c++20", "-arch=native", "-lineinfo", "-o", binary, HERE / "planted_bugs.cu"])
    program_of = [binary] if runner.fake is None else [*runner.fake, "planted_bugs"]
    wrong = []
    for tool in SANITIZERS:
        checked = [*sanitizer, "--tool", tool, "--error-exitcode", "9"]
        found = runner.run([*checked, *program_of, tool], most=60)
        clean = runner.run([*checked, *program_of, "none"], most=60)
        outcome.values[tool] = "finds its bug" if found.code == 9 else f"exit {found.code} with its bug"
        if found.code != 9:
            wrong.append(f"{tool} does not find its planted bug: {last_line(found.text)}")
        if clean.code != 0:
            wrong.append(f"{tool} finds a bug where there is none: {last_line(clean.text)}")
    if wrong:
        raise Failed("; ".join(wrong))


def sanitized(runner, setup, outcome):
    """The engine under each of those tools: a few tokens of a tiny model."""
    proven = {each.name: each for each in runner.outcomes}.get("planted")
    if proven is None or proven.state != "passed":
        raise NotRun("the tools have not proven themselves on planted bugs")
    sanitizer = runner.find("compute-sanitizer", "/usr/local/cuda/bin/compute-sanitizer")
    run = program(runner, setup, "pipeline-run")
    tiny = ROOT / "tests/fixtures/tiny/tiny_gqa.gguf"
    found = []
    for tool, way in ((tool, way) for way in WAYS for tool in SANITIZERS):
        ran = runner.run([*sanitizer, "--tool", tool, "--error-exitcode", "9", *run, PIPELINE, "--device", "cuda:0", "--set",
                          f"model={tiny}", "--set", "decode.max_new_tokens=4", "--set", f"forward.step={way}", "--text", "Hi",
                          "--text", "The quick"])
        outcome.values[f"{tool}, step: {way}"] = "clean" if ran.code == 0 else last_line(ran.text)
        if ran.code != 0:
            found.append(f"{tool}, step: {way}: exit {ran.code}: {last_lines(ran.text)}")
    if found:
        raise Failed("; ".join(found))


def profiled(runner, setup, outcome):
    """What nsys says of the kernels of 32 tokens."""
    needs_model(setup)
    nsys = runner.find("nsys", "/usr/local/cuda/bin/nsys")
    run = program(runner, setup, "pipeline-run")
    traced = runner.folder / "nsys"
    runner.must([*nsys, "profile", "--force-overwrite", "true", "--cuda-graph-trace", "node", "-o", traced, *run, PIPELINE,
                 "--device", "cuda:0", "--set", f"model={setup.model}", "--set", "decode.max_new_tokens=32", "--text", "Hi"])
    ran = runner.must([*nsys, "stats", "--force-export", "true", "--report", "cuda_gpu_kern_sum", "--format", "csv",
                       f"{traced}.nsys-rep"])
    rows = [line for line in ran.text.splitlines() if line.count(",") >= 8]
    outcome.values["kernels"] = rows[:16]
    if len(rows) < 2:
        raise Failed("nsys saw no kernel")


def counted(runner, setup, outcome):
    """What ncu says of bandwidth and occupancy of the first kernels."""
    needs_model(setup)
    ncu = runner.find("ncu", "/usr/local/cuda/bin/ncu")
    run = program(runner, setup, "pipeline-run")
    metrics = "dram__throughput.avg.pct_of_peak_sustained_elapsed,sm__warps_active.avg.pct_of_peak_sustained_active"
    ran = runner.run([*ncu, "--metrics", metrics, "--launch-count", "100", "--csv", *run, PIPELINE, "--device", "cuda:0",
                      "--set", f"model={setup.model}", "--set", "decode.max_new_tokens=4", "--text", "Hi"])
    if "ERR_NVGPUCTRPERM" in ran.text:
        raise NotRun("this user may not read the GPU's counters (ERR_NVGPUCTRPERM)")
    if ran.code != 0:
        raise Failed(last_lines(ran.text))
    outcome.values["counters"] = [line for line in ran.text.splitlines() if line.startswith('"')][:200]


@dataclasses.dataclass(frozen=True)
class Part:
    name: str
    title: str
    function: object
    limit: float  # seconds
    least: float = 5  # to begin with


ALL = (
    Part("machine", "The machine", machine, 60),
    Part("build", "The programs", build, 270),
    Part("model", "The weights", model, 60),
    Part("parity", "CPU and GPU give the same", parity, 120, 20),
    Part("tests", "The tests of the engines", tests, 90),
    Part("throughput", "Throughput", throughput, 120, 20),
    Part("ways", "A step as a graph, as one kernel, with a screened head", ways, 110, 20),
    Part("box_plot", "Latency on CPU and GPU", box_plot, 60, 20),
    Part("planted", "The sanitizers find planted bugs", planted, 90, 20),
    Part("sanitized", "The engine under the sanitizers", sanitized, 150, 20),
    Part("transformers", "Beside transformers", transformers, 90, 30),
    Part("profiled", "Kernels, by nsys", profiled, 60, 15),
    Part("counted", "Counters, by ncu", counted, 60, 15),
)
