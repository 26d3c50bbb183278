"""Pipelines on a Ray cluster: Ray schedules, restarts and moves the data, the engine runs in Ray's actors.

    import penstock.ray
    import ray

    ds = ray.data.read_json("reviews/")
    ds = penstock.ray.run(ds, "gemma_text.yaml", column="text", set={"decode.temperature": 0}, engines=4)
    ds.write_parquet("answers/")

    penstock.ray.job("prompts/*.jsonl", "answers/", "gemma_text.yaml")   # exactly once, goes on where it stopped
    ray.serve.run(penstock.ray.serve_app("gemma_chat.yaml", replicas=4))  # OpenAI's routes

Each node has this package and the models. Ray itself is imported by the first call: pip install 'penstock[ray]'.
"""

from ._engine import Engine
from ._job import Summary, job
from ._run import run
from ._serve import serve_app

__all__ = ["Engine", "Summary", "job", "run", "serve_app"]
