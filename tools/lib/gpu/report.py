"""report.json and report.html of tools/gpu_check: one page without anything from elsewhere."""
import dataclasses
import html
import json
import statistics

from gpu import bars

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1c1917 }
table { border-collapse: collapse; margin: .5rem 0 } td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top }
.passed, .met { color: #15803d } .failed, .missed { color: #b91c1c } .not-run, .not-measured { color: #a16207 }
.fake { background: #fef3c7; padding: .5rem 1rem } code, pre { font: 13px ui-monospace, monospace; white-space: pre-wrap }
h2 { margin: 1.6rem 0 .2rem; font-size: 1.05rem } h3 { margin: .6rem 0 0; font-size: .95rem; font-weight: 500 }
"""
WIDTH, HEIGHT, LEFT = 640, 46, 90


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0], values[0]
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def box_plot(title, series):
    """An SVG with a box for each of {name: values}, in milliseconds."""
    series = {name: sorted(values) for name, values in series.items() if values}
    if not series:
        return ""
    most = max(values[-1] for values in series.values()) or 1

    def x(value):
        return LEFT + (WIDTH - LEFT - 70) * value / most

    lines = []
    for i, (name, values) in enumerate(series.items()):
        y = HEIGHT * i + HEIGHT / 2
        low, middle, high = quartiles(values)
        lines.append(
            f'<text x="0" y="{y + 5:.0f}">{html.escape(name)}</text>'
            f'<line x1="{x(values[0]):.1f}" x2="{x(values[-1]):.1f}" y1="{y}" y2="{y}" stroke="#78716c"/>'
            f'<rect x="{x(low):.1f}" y="{y - 12}" width="{max(1.0, x(high) - x(low)):.1f}" height="24" fill="#fed7aa" '
            f'stroke="#c2410c"/><line x1="{x(middle):.1f}" x2="{x(middle):.1f}" y1="{y - 12}" y2="{y + 12}" '
            f'stroke="#c2410c" stroke-width="2"/><text x="{x(values[-1]) + 6:.1f}" y="{y + 5:.0f}">{shown_ms(middle)}</text>')
    height = HEIGHT * len(series)
    return (f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
            f'aria-label="{html.escape(title)}, by device">{"".join(lines)}</svg>')


def shown_ms(value):
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"


def box_plots(plots):
    """One for each of {title: {device: values}}, each with a scale of its own."""
    return "".join(f"<h3>{html.escape(title)}</h3>{box_plot(title, series)}" for title, series in plots.items())


def bar_table(rows):
    """What bars.table() says."""
    cells = "".join(
        f'<tr><td>{html.escape(row["bar"])}</td><td>{row["asked"]}</td><td>{row["measured"] or "-"}</td>'
        f'<td><span class="{row["state"].replace(" ", "-")}">{row["state"]}</span> {html.escape(row["reason"])}</td></tr>'
        for row in rows)
    return ("<h2>What is asked of an H100 or H200</h2><table><tr><th>figure</th><th>asked</th><th>measured</th><th></th></tr>"
            f"{cells}</table>")


def cell(value, key=""):
    if isinstance(value, float):
        return f"{value:,.1%}" if key.startswith("share") else f"{value:,.4g}" if value < 100 else f"{value:,.0f}"
    if isinstance(value, dict):
        return ", ".join(f"{html.escape(name.replace('_', ' '))} {cell(each, name)}" for name, each in value.items())
    if isinstance(value, list):
        return "<pre>" + html.escape("\n".join(str(each) for each in value)) + "</pre>"
    return html.escape(str(value))


def section(outcome):
    state = outcome.state.replace(" ", "-")
    out = [f'<h2>{html.escape(outcome.title)}: <span class="{state}">{outcome.state}</span></h2>',
           f"<p>{html.escape(outcome.reason)}</p>" if outcome.reason else ""]
    if outcome.name == "box_plot":
        out.append(box_plots(outcome.values))
    elif outcome.values:
        rows = "".join(f"<tr><td>{html.escape(str(key))}</td><td>{cell(value)}</td></tr>" for key, value in outcome.values.items())
        out.append(f"<table>{rows}</table>")
    if outcome.commands:
        lines = "\n".join(" ".join(each["command"]) + f"   # {each['log']}" for each in outcome.commands)
        out.append(f"<details><summary>{outcome.seconds:.0f} s, commands</summary><pre>{html.escape(lines)}</pre></details>")
    return "\n".join(out)


def counts(outcomes):
    return {state: sum(each.state == state for each in outcomes) for state in ("passed", "failed", "not run")}


def write(folder, outcomes, seconds, is_dry_run):
    asked = bars.table(outcomes)
    whole = {"is_dry_run": is_dry_run, "seconds": round(seconds, 1), "counts": counts(outcomes), "bars": asked,
             "parts": [dataclasses.asdict(each) for each in outcomes]}
    (folder / "report.json").write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    fake = '<p class="fake">A dry run: fake tools ran, and every figure is made up.</p>' if is_dry_run else ""
    summary = ", ".join(f"{count} {state}" for state, count in counts(outcomes).items())
    page = (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>gpu_check</title><style>{STYLE}</style>'
            f"<h1>gpu_check</h1>{fake}<p>{summary}, in {seconds:.0f} s</p>{bar_table(asked)}" + "\n".join(section(each) for each in outcomes))
    (folder / "report.html").write_text(page + "</html>\n", "utf-8")
