"""A long job that may be killed or lose machines and still writes each row once: python job.py in.jsonl out/ [model].

Run it again after a kill and it goes on where it stopped. The folders are ones that every node sees:

    $ python job.py prompts.jsonl answers/      # Ctrl-C after a while
    $ python job.py prompts.jsonl answers/
    160 parts, 57 of them from before; 6592 rows now, 0 with an error
"""

import os
import sys

os.environ.setdefault("RAY_AUTH_MODE", "token")
import penstock.ray  # noqa: E402
import ray  # noqa: E402


def main(source: str, target: str, model: str | None = None) -> None:
    if "RAY_ADDRESS" not in os.environ:
        ray.init("local", include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False,
                 logging_level="error")
    settings = {"decode.max_new_tokens": 16} | ({"model": model} if model else {})
    done = penstock.ray.job(source, target, "gemma_text.yaml", set=settings, engines=1,
                            resume=os.path.exists(os.path.join(target, "_job.json")))
    print(f"{done.parts} parts, {done.parts_before} of them from before; {done.rows} rows now, {done.errors} with an "
          "error")


main(*sys.argv[1:])
