"""A column of a table, completed on as many machines as Ray has: python table.py in.jsonl out/ [model].

Ray Data reads, moves and writes the rows; each actor has an engine. Started alone it makes a cluster of this machine,
on loopback and closed by a token. With RAY_ADDRESS it joins one:

    $ python table.py prompts.jsonl answers/
    3 rows answered, 1 failed
    {'text': 'The capital of France is', 'answer': ' Paris.', 'error': None}
"""

import os
import sys

os.environ.setdefault("RAY_AUTH_MODE", "token")  # before Ray is imported; each node of a cluster has the same
import penstock.ray  # noqa: E402
import pyarrow.parquet  # noqa: E402
import ray  # noqa: E402


def main(source: str, target: str, model: str | None = None) -> None:
    if "RAY_ADDRESS" not in os.environ:
        ray.init("local", include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False,
                 logging_level="error")
    settings = {"decode.max_new_tokens": 16} | ({"model": model} if model else {})
    rows = ray.data.read_json(source, lines=True)
    rows = penstock.ray.run(rows, "gemma_text.yaml", column="text", set=settings, engines=1, in_order=True)
    rows.write_parquet(target)  # here everything happens
    table = pyarrow.parquet.read_table(target).select(["text", "answer", "error"]).to_pylist()
    failed = sum(row["error"] is not None for row in table)
    print(f"{len(table) - failed} rows answered, {failed} failed")
    print(table[0])


main(*sys.argv[1:])
