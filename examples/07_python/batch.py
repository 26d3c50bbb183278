"""A column of a table, completed: python batch.py in.csv out.csv [model]. Needs pandas."""

import sys

import pandas
import penstock


def main(source: str, target: str, model: str | None = None) -> None:
    table = pandas.read_csv(source)
    settings = {"decode.max_new_tokens": 16} | ({"model": model} if model else {})
    with penstock.open("gemma_text.yaml", set=settings) as pipeline:
        # In order, and never more than 64 rows at once; a row that fails costs only itself.
        results = list(pipeline.map(table["text"], errors="return"))
    failed = [isinstance(result, penstock.Error) for result in results]
    table["answer"] = [None if is_wrong else result.text for is_wrong, result in zip(failed, results, strict=True)]
    table["error"] = [str(result) if is_wrong else None for is_wrong, result in zip(failed, results, strict=True)]
    table.to_csv(target, index=False)
    print(f"{len(results) - sum(failed)} rows answered, {sum(failed)} failed")


main(*sys.argv[1:])
