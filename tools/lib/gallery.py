"""A Markdown page of the stages that `pipeline-inspect --json` tells of: python3 gallery.py STAGES.json ROOT"""
import json
import sys
from pathlib import Path

KINDS = ["preprocess", "batch", "forward", "rule", "decode", "postprocess"]
INTRO = """# The stages

Every stage that comes with Penstock, as it declares itself; made by `tools/gallery`
of `pipeline-inspect --json`, so do not edit it. `pipeline-inspect NAME` prints the same
in a terminal, and of your own plugins too.

Params with a * may be set for each request, in its `options`.
"""


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def anchor(name):
    return name.replace(".", "")


def value(given):
    return cell(json.dumps(given, ensure_ascii=False)) if given not in ("", []) else ""


def number(given):
    return int(given) if given == int(given) else given


def expected(param):
    if param.get("choices"):
        return ", ".join(f"`{choice}`" for choice in param["choices"])
    low, high = param.get("min"), param.get("max")
    if low is not None and high is not None:
        return f"{param['type']} in {number(low)}..{number(high)}"
    return param["type"]


def ports(stage):
    lines = []
    for title, key in (("takes", "inputs"), ("gives", "outputs"), ("of Decode's next step", "next_inputs")):
        if stage[key]:
            lines.append(f"- {title} " + ", ".join(f"`{port}`" for port in stage[key]))
    if stage.get("ports_of_model"):
        lines.append("- takes and gives what its model's file says")
    if stage.get("ports_of_params"):
        lines.append("- takes and gives what its params say")
    for kind in ("notes", "facts"):
        said = [f"{verb} " + ", ".join(f"`{note}`" for note in stage[kind][verb])
                for verb in ("makes", "needs", "uses") if stage[kind][verb]]
        if said:
            lines.append(f"- {kind}: " + "; ".join(said))
    if stage["layouts"]:
        lines.append("- batches: " + ", ".join(stage["layouts"]))
    if stage["devices"]:
        lines.append("- computes on " + ", ".join(stage["devices"]))
    return lines


def describe(stage):
    out = [f"### {stage['name']}", "", f"*{stage['kind']}*. {cell(stage['doc'])}.", ""]
    lines = ports(stage)
    out += lines + [""] if lines else []
    if stage["params"]:
        out += ["| param | default | expected | meaning |", "|---|---|---|---|"]
        for param in stage["params"]:
            star = "*" if param["per_request"] else ""
            out.append(f"| `{param['name']}`{star} | {value(param['default'])} | {expected(param)} "
                       f"| {cell(param['doc'])} |")
        out.append("")
    return out


def main():
    told = json.loads(Path(sys.argv[1]).read_text())
    root = Path(sys.argv[2])
    plugins = sorted(told["plugins"], key=lambda plugin: plugin["plugin"])
    for plugin in plugins:
        if plugin["problem"]:
            raise SystemExit(f"gallery: {plugin['plugin']}: {plugin['problem']}")
    stages = [stage for plugin in plugins for stage in plugin["stages"]]
    out = [INTRO, "| kind | stages |", "|---|---|"]
    for kind in KINDS:
        names = [stage["name"] for stage in stages if stage["kind"] == kind]
        out.append(f"| {kind} | " + ", ".join(f"[{name}](#{anchor(name)})" for name in names) + " |")
    for plugin in plugins:
        name = plugin["plugin"]
        readme = f" ([how it works](../../plugins/{name}/README.md))" if (root / f"plugins/{name}/README.md").exists() else ""
        out += ["", f"## {name}", "", f"{len(plugin['stages'])} stages{readme}.", ""]
        for stage in sorted(plugin["stages"], key=lambda stage: KINDS.index(stage["kind"])):
            out += describe(stage)
    print("\n".join(out).rstrip())


main()
