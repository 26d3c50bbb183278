"""Lines covered by folder; see tools/coverage."""
import collections
import json
import sys

# What reads files and lines of others.
PARSERS = ("framework/src/config/", "framework/src/weights/", "framework/src/base/json", "plugins/gemma/jinja/",
           "plugins/gemma/vocabulary", "plugins/gemma/config_json", "tools/pipeline_run/jsonl",
           "tools/pipeline_run/openai", "plugins/image/codecs/")


def main():
    folders = collections.defaultdict(lambda: [0, 0])
    for entry in json.load(open(sys.argv[1], encoding="utf-8"))["files"]:
        name = entry["filename"]
        keys = ["/".join(name.split("/")[:3 if name.startswith("framework/src") else 2]), "all"]
        if name.startswith(PARSERS):
            keys.append("parsers")
        for key in keys:
            folders[key][0] += entry["line_covered"]
            folders[key][1] += entry["line_total"]
    for key in sorted(folders, key=lambda k: (k in ("all", "parsers"), k)):
        covered, total = folders[key]
        if total:
            print(f"{key:28s} {covered:6d} of {total:6d} lines  {100 * covered / total:5.1f} %")


if __name__ == "__main__":
    main()
