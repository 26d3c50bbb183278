"""pipeline-run and OpenVINO GenAI in turns; see tools/compare/openvino."""
import time

import numpy as np
import openvino
import openvino_genai
from in_turns import NEW, THREADS, compare_engine


def load(folder, most_tokens):
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.enable_prefix_caching = False
    scheduler.max_num_batched_tokens = most_tokens  # a whole prompt in one step
    scheduler.cache_size = 1  # GB; taken once instead of growing
    return openvino_genai.ContinuousBatchingPipeline(folder, scheduler, "CPU", {"INFERENCE_NUM_THREADS": THREADS})


def greedy(count):
    return openvino_genai.GenerationConfig(max_new_tokens=count, ignore_eos=True, do_sample=False)


def tensor(ids):
    return openvino.Tensor(np.array([ids], np.int64))


def theirs(pipeline, ids):
    answer = pipeline.add_request(0, tensor(ids), greedy(NEW + 1))
    start = time.perf_counter()
    pipeline.step()
    prefill = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(NEW):
        pipeline.step()
    decode = time.perf_counter() - start
    assert not pipeline.has_non_finished_requests()
    return len(ids) / prefill, NEW / decode, answer.read_all()[0].generated_ids


def theirs_together(pipeline, rows):
    start = time.perf_counter()
    answers = pipeline.generate([tensor(ids) for ids in rows], [greedy(NEW)] * len(rows))
    seconds = time.perf_counter() - start
    assert all(len(answer.m_generation_ids[0]) == NEW for answer in answers)
    return len(rows) * NEW / seconds


def main():
    compare_engine("OpenVINO", load, theirs, theirs_together)


if __name__ == "__main__":
    main()
