"""Makes what jinja2 writes for expressions that chat templates may use: chat/expressions.json.

The environment is transformers' own, its `tojson` included. A row has what is written, or `error` where jinja2, or
Python below it, refuses.
"""
import argparse
import json
import pathlib

import jinja2
import transformers
from transformers.utils import chat_template_utils

import chat_expressions

HERE = pathlib.Path(__file__).resolve().parent


def row(source):
    try:
        return {"source": source, "output": chat_template_utils._compile_jinja_template(source).render()}
    except Exception as error:  # whatever Python makes of it
        return {"source": source, "error": f"{type(error).__name__}: {error}"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "chat" / "expressions.json")
    args = parser.parse_args()
    rows = [row(source) for source in chat_expressions.SOURCES]
    versions = {"jinja2": jinja2.__version__, "transformers": transformers.__version__}
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump(versions | {"rows": rows}, file, indent=1)
        file.write("\n")
    print(len(rows), "rows,", sum("error" in each for each in rows), "errors")


if __name__ == "__main__":
    main()
