"""A stage in Python, to try a thought out: what becomes of a text whose tokens are always the second best?

    $ python own_stage.py
    rank 1:  Paris. It is the largest city in France and
    rank 2:  the most popular and popular of all places to

examples/03_own_decode is the same stage in C++."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import penstock

FILE = """
version: 1
model: gemma-3-270m
preprocess:  {use: gemma.tokenize}
batch:       {use: core.continuous}
forward:     {use: gemma.forward}
decode:      {use: mine.ranked}
postprocess: {use: gemma.detokenize}
"""


@penstock.stage("mine.ranked", inputs=["scores: f32[R,V]"], outputs=["tokens: i64[N]"], params=[
    penstock.declare("rank", 1, "1: the best", min=1, max=64, per_request=True),
    penstock.declare("max_new_tokens", 10, "then the answer ends", min=1)])
class Ranked(penstock.Decode):
    """Takes the token of one rank, whatever its score."""

    def start(self, sequence: penstock.Running) -> penstock.Want:
        return penstock.Want(top=sequence.params.rank)  # the best few scores and nothing else

    def decode(self, step: list[penstock.Part]) -> Iterator[penstock.Next]:
        for part in step:
            token = part.ids[-1][part.sequence.params.rank - 1]  # ids: [rows, top], best first
            is_last = part.sequence.generated + 1 >= self.params.max_new_tokens
            yield penstock.Next(part, tokens=[token], finish="length" if is_last else "")


def main() -> None:
    settings = {"model": os.environ["MODEL"]} if "MODEL" in os.environ else {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ranked.yaml")
        path.write_text(FILE)
        with penstock.open(path, set=settings) as p:
            for rank in (1, 2):
                print(f"rank {rank}: {p('The capital of France is', rank=rank).text}")


main()
