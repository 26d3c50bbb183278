"""Box plots of latencies; see tools/plot_latency."""
import argparse
import json
import pathlib
import statistics
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  after the backend

AXES = {"request": "whole request, ms", "first": "first token, ms", "between": "between two tokens, ms"}
KEYS = {"request": "whole_ms", "first": "first_ms", "between": "between_ms"}


def fail(code, text):
    print(f"plot_latency: {text}", file=sys.stderr)
    sys.exit(code)


def boxes(path, metric, batch, is_many):
    """(label, values) for each device and batch size of a file; missing devices are told."""
    try:
        result = json.loads(path.read_text("utf-8"))
        devices = result["devices"]
    except FileNotFoundError:
        fail(66, f"there is no file '{path}'")
    except (ValueError, KeyError, TypeError):
        fail(65, f"{path} is not what pipeline-bench --json writes")
    for device in devices:
        if "missing" in device:
            print(f"{path}: {device['device']} was missing: {device['missing']}", file=sys.stderr)
            continue
        for each in device["batches"]:
            if batch and each["batch"] != batch:
                continue
            values = []
            for request in each["requests"]:
                value = request[KEYS[metric]]
                values += value if isinstance(value, list) else [value]
            label = f"{device['device']}\n{device['dtype']}" + ("" if batch else f", batch {each['batch']}")
            yield (f"{path.stem}\n{label}" if is_many else label), values, result


def main():
    parser = argparse.ArgumentParser(prog="plot_latency", description=__doc__)
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="JSON")
    parser.add_argument("picture", type=pathlib.Path)
    parser.add_argument("--metric", choices=AXES, default="request")
    parser.add_argument("--batch", type=int)
    args = parser.parse_args()
    if args.picture.suffix not in (".png", ".svg"):
        fail(2, f"the picture's name must end in .png or .svg, not '{args.picture}'")
    found = [box for path in args.files for box in boxes(path, args.metric, args.batch, len(args.files) > 1)]
    if not found:
        fail(65, "no measured device or batch size is left to draw")
    labels, values, results = zip(*found)
    figure, axes = plt.subplots(figsize=(2 + 1.3 * len(found), 4.5), layout="constrained")
    axes.boxplot(values, tick_labels=labels, widths=0.5, showfliers=True,
                 medianprops={"color": "#c2410c", "linewidth": 2}, flierprops={"markersize": 3})
    for place, each in enumerate(values, 1):
        middle = statistics.median(each)
        axes.annotate(f"{middle:,.0f}" if middle >= 100 else f"{middle:.3g}", (place + 0.28, middle), va="center", fontsize=8, color="#c2410c")
    axes.set_ylim(bottom=0)
    axes.set_ylabel(AXES[args.metric])
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{results[0]['pipeline']}, {results[0]['model']}", fontsize=10)
    figure.savefig(args.picture, dpi=150)


if __name__ == "__main__":
    main()
