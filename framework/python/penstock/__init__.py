"""Inference pipelines: raw data in, a result for people out.

    import penstock

    with penstock.open("gemma_text.yaml", set={"decode.temperature": 0}) as p:
        print(p("The capital of France is", max_new_tokens=8).text)
        for piece in p.stream("Once upon a time"):
            print(piece, end="")
        for result in p.map(texts):          # in order, in constant memory
            ...
        result = await p.acall("Hi")

The engine is C++: it runs without Python's lock, and batches across threads,
tasks and calls. It is loaded by the first open(), check() or inspect().
"""

from ._build import VERSION as __version__
from ._errors import Error
from ._inputs import Audio, File
from ._look import Check, Param, Stage, check, inspect
from ._pipeline import Pipeline, open
from ._programs import show
from ._result import Choice, Result, Timing
from ._spec import Spec
from ._stage import (STOP, Decode, Decoded, Emit, Item, Next, Part, Postprocess, Preprocess, Request, Running, Want,
                     Writer, declare, stage)
from ._stream import AsyncStream, Stream

__all__ = [
    "STOP", "AsyncStream", "Audio", "Check", "Choice", "Decode", "Decoded", "Emit", "Error", "File", "Item", "Next",
    "Param", "Part", "Pipeline", "Postprocess", "Preprocess", "Request", "Result", "Running", "Spec", "Stage",
    "Stream", "Timing", "Want", "Writer", "__version__", "check", "declare", "inspect", "open", "show", "stage",
]
