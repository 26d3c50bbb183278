"""What Magika's Python package says of files, by its model alone.

    python3 -m venv v && v/bin/pip install magika==1.0.3 onnxruntime==1.32.0
    v/bin/python tests/golden/make_file_types.py

Writes tests/golden/models/file_types.json: files of tests/fixtures, and texts
that stand there, each with the label and score of the model (`dl` and `score`
of a result, before Magika's own rules).
"""

import importlib.metadata
import json
import os
import pathlib

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
from magika import Magika  # noqa: E402

TESTS = pathlib.Path(__file__).resolve().parent.parent
TEXTS = {
    "python": "import os\n\n\ndef main(path):\n    for name in os.listdir(path):\n        print(name)\n\n\nif __name__ == '__main__':\n    main('.')\n",
    "c": "#include <stdio.h>\n\nint main(int argc, char** argv) {\n  for (int i = 0; i < argc; ++i) printf(\"%s\\n\", argv[i]);\n  return 0;\n}\n",
    "html": "<!DOCTYPE html>\n<html><head><title>A page</title></head>\n<body><p>Some words.</p></body></html>\n",
    "blanks": "   \n\t  #!/bin/bash\nset -euo pipefail\nfor f in *.txt; do\n  echo \"$f\" | tr a-z A-Z\ndone\n  \n\n\n",
    "json": '{"name": "x", "list": [1, 2, 3], "nested": {"a": true, "b": null}}\n',
    "long": "SELECT name, count(*) FROM people WHERE age > 21 GROUP BY name;\n" * 200,
    "short": "hello, world",
}
FOLDERS = {"pictures": 8, "models": 4, "folders": 4, "quants": 2, "tiny": 2}


def main():
    magika = Magika()
    cases = []
    for name, text in TEXTS.items():
        result = magika.identify_bytes(text.encode())
        cases.append({"name": name, "text": text, "label": str(result.dl.label), "score": float(result.score)})
    for folder, most in FOLDERS.items():
        files = sorted(path for path in (TESTS / "fixtures" / folder).rglob("*") if path.is_file() and path.stat().st_size >= 64)
        for path in files[:: max(1, len(files) // most)][:most]:
            result = magika.identify_path(path)
            cases.append({"name": path.name, "path": str(path.relative_to(TESTS)),
                          "label": str(result.dl.label), "score": float(result.score)})
    versions = {name: importlib.metadata.version(name) for name in ("magika", "onnxruntime")}
    out = {"versions": versions, "cases": cases}
    (TESTS / "golden/models/file_types.json").write_text(json.dumps(out, indent=1) + "\n")


main()
