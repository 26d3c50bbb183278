"""check_schema.py INSPECT FOLDER...: the JSON Schema that pipeline-inspect prints is one, accepts every pipeline file of
the folders that names it and refuses what the loader refuses; in the first folder every file names it, in its first line.
"""
import copy
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
from ruamel.yaml import YAML


def schema_named_by(path):
    """The file that an editor finds the schema in, or None."""
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", path.read_text().split("\n", 1)[0])
    return found and (path.parent / found[1]).resolve()


def main():
    printed = subprocess.run([sys.argv[1], "--schema"], capture_output=True, check=True, text=True).stdout
    schema = json.loads(printed)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    faults = []
    folders = [pathlib.Path(folder).resolve() for folder in sys.argv[2:]]
    shipped = folders[0] / "pipeline.schema.json"
    files = []
    for path in sorted(path for folder in folders for path in folder.glob("*.yaml")):
        named = schema_named_by(path)
        if named is None and path.parent != folders[0]:
            continue  # it has stages of its own
        files.append(path)
        if named != shipped:
            faults.append(f"{path}: its first line should be '# yaml-language-server: $schema=' and the way to {shipped}")
        for error in validator.iter_errors(YAML(typ="safe", pure=True).load(path.read_text())):
            faults.append(f"{path}: {error.message}")
    good = {"version": 1, "preprocess": {"use": "echo.bytes"}, "batch": {"use": "core.pad"},
            "forward": {"use": "echo.forward"}, "decode": {"use": "core.sample", "temperature": "${T:-1}"},
            "postprocess": {"use": "echo.text"}}
    if not validator.is_valid(good):
        faults.append("a good file is refused")
    for key, change in {"version": 2, "batch": {"use": "core.sample"}, "decode": {"use": "core.sample", "top_q": 1},
                        "forward": {"use": "echo.forward", "confidence": 1000}, "devise": "cpu", "preprocess": [],
                        "device": "gpu", "postprocess": {}, "inputs": "Hi"}.items():
        bad = copy.deepcopy(good)
        bad[key] = change
        if validator.is_valid(bad):
            faults.append(f"accepted: {key}: {change}")
    for key in good:
        if validator.is_valid({k: v for k, v in good.items() if k != key}):
            faults.append(f"accepted without {key}")
    print("\n".join(faults) or f"ok: {len(files)} files")
    return 1 if faults or not files else 0


sys.exit(main())
