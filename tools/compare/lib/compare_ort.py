"""pipeline-run and ONNX Runtime GenAI in turns; see tools/compare/ort."""
import json
import time

import numpy as np
import onnxruntime_genai
from in_turns import NEW, THREADS, compare_engine

WINDOW = 512  # of the sliding layers; the cache may not be shorter


def load(folder, _most_tokens):
    config = onnxruntime_genai.Config(folder)
    config.overlay(json.dumps({"model": {"decoder": {"session_options": {"intra_op_num_threads": THREADS}}}}))
    return onnxruntime_genai.Model(config)


def generator(model, rows):
    length = max(WINDOW, len(rows[0]) + 2 * NEW)
    how = onnxruntime_genai.GeneratorParams(model)
    how.set_search_options(do_sample=False, batch_size=len(rows), max_length=length, min_length=length)
    return onnxruntime_genai.Generator(model, how)


def theirs(model, ids):
    answer = generator(model, [ids])
    start = time.perf_counter()
    answer.append_tokens(np.array([ids], np.int32))
    answer.generate_next_token()
    prefill = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(NEW):
        answer.generate_next_token()
    decode = time.perf_counter() - start
    return len(ids) / prefill, NEW / decode, answer.get_sequence(0)[len(ids):].tolist()


def theirs_together(model, rows):
    answer = generator(model, rows)
    start = time.perf_counter()
    answer.append_tokens(np.array(rows, np.int32))
    for _ in range(NEW):
        answer.generate_next_token()
    return len(rows) * NEW / (time.perf_counter() - start)


def main():
    compare_engine("ONNX Runtime", load, theirs, theirs_together)


if __name__ == "__main__":
    main()
