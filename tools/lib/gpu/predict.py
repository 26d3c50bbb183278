"""The tables of tools/gpu_model: predictions for cards, batch sizes and prompts, as values and as text."""
import dataclasses

from gpu import roofline
from gpu.roofline import HOST_ROW_US, HOST_US, MEMORY_SHARE, TENSOR_SHARE  # noqa: F401  for the options' defaults


def kernel_rows(card, kernels, args):
    return [{"name": k.name, "launches": k.count, "blocks": k.blocks, "bytes": k.bytes * k.count,
             "flops": k.flops * k.count,
             "us": 1e6 * k.count * roofline.work_time(card, k, args.memory_share, args.tensor_share)} for k in kernels]


def with_host(card, batch, step, args):
    """A step that takes `step` seconds and the host's work behind it; and the same where the next step runs meanwhile,
    from tokens that the device chose."""
    host = (args.host_us + batch * args.host_row_us) * 1e-6
    ahead = max(step + roofline.draw_time(card, batch), host)
    return {"us": host * 1e6, **{name: {"us": time * 1e6, "tokens_per_second": batch / time}
                                 for name, time in (("waited", step + host), ("ahead", ahead))}}


def decoding(model, card, batch, args):
    step = roofline.decode_step(model, batch, args.context)
    by_way = {"graph": lambda kernels: roofline.graph_time(card, kernels, args.memory_share, args.tensor_share)}
    # Of more rows the engine has no such kernel: the step goes as a graph.
    is_few = batch <= roofline.ROW_TILE
    by_way["persistent"] = ((lambda kernels: roofline.persistent_time(card, kernels, args.tensor_share)) if is_few
                            else by_way["graph"])
    by_way["screened"] = by_way["graph"]
    bound = roofline.bound_time(card, roofline.kernels(card, model, step, args.dtype))
    ways = {}
    for name, seconds in by_way.items():
        screened = args.best if name == "screened" and roofline.can_screen(batch, args.dtype) else 0
        if name == "persistent" and is_few:
            kernels, is_tiled = roofline.kernels(card, model, step, args.dtype), False
            time = seconds(kernels)
        else:
            time, kernels, is_tiled = roofline.fastest(card, model, step, args.dtype, seconds, screened=screened)
        ways[name] = {"us": time * 1e6, "tokens_per_second": batch / time, "share_of_bound": bound / time,
                      "products": "tiles" if is_tiled else "rows", "kernels": kernel_rows(card, kernels, args)}
    shown = ways["graph"]["kernels"]
    host = with_host(card, batch, ways["graph"]["us"] * 1e-6, args)
    return {"card": card.name, "batch": batch, "context": args.context, "bound_us": bound * 1e6,
            **{key: sum(kernel[key] for kernel in shown) for key in ("bytes", "flops", "launches")}, "ways": ways,
            "host": host}


def prompt(model, card, tokens, args):
    """A prompt in chunks, with attention row by row, as of fp32, and with tiles of queries, as the engine has it in bf16."""
    ways = {"rows": 0.0, "tiles": 0.0}
    flops = moved = launches = 0

    def seconds(kernels):
        return roofline.graph_time(card, kernels, args.memory_share, args.tensor_share)

    for begin in range(0, tokens, args.chunk):
        rows = min(args.chunk, tokens - begin)
        step = roofline.prefill_step(model, begin, rows, scored=int(begin + rows == tokens))
        for way in ways:
            time, kernels, _ = roofline.fastest(card, model, step, args.dtype, seconds, way == "tiles")
            ways[way] += time
        flops += sum(k.flops * k.count for k in kernels)
        moved += sum(k.bytes * k.count for k in kernels)
        launches += sum(k.count for k in kernels)
    bound = max(flops / card.bf16, moved / card.memory)
    return {"card": card.name, "tokens": tokens, "flops": flops, "bytes": moved, "launches": launches,
            "bound_us": bound * 1e6,
            "ways": {name: {"us": time * 1e6, "tokens_per_second": tokens / time,
                            "share_of_peak": flops / time / card.bf16} for name, time in ways.items()}}


def all_of(model, cards, args):
    if args.launch_us is not None:
        cards = [dataclasses.replace(card, launch=args.launch_us * 1e-6) for card in cards]
    return {"model": dataclasses.asdict(model) | {"weights": model.weights}, "dtype": args.dtype,
            "assumed": {"memory_share": args.memory_share, "tensor_share": args.tensor_share,
                        "host_us": args.host_us, "host_row_us": args.host_row_us,
                        "simt_share": roofline.SIMT_SHARE, "issue_share": roofline.ISSUE_SHARE,
                        "shared_share": roofline.SHARED_SHARE, "attention_share": roofline.ATTENTION_SHARE,
                        "group_share": roofline.GROUP_SHARE, "group_attention_share": roofline.GROUP_ATTENTION_SHARE,
                        "one_group_share": roofline.ONE_GROUP_SHARE,
                        "persistent_share": roofline.PERSISTENT_SHARE},
            "cards": [dataclasses.asdict(card) for card in cards],
            "decode": [decoding(model, card, batch, args) for card in cards for batch in args.batch],
            "prefill": [prompt(model, card, tokens, args) for card in cards for tokens in args.prefill]}


def decode_lines(results):
    yield (f"{'decode':9}{'batch':>6}{'MB':>8}{'GFLOP':>8}{'launches':>9}  {'products':9}{'bound us':>9}"
           f"{'graph us':>10}{'tokens/s':>10}{'of bound':>9}{'persistent us':>15}{'tokens/s':>10}{'of bound':>9}"
           f"{'screened us':>13}{'MB':>8}{'launches':>9}{'tokens/s':>10}{'faster':>8}")
    for row in results["decode"]:
        graph, persistent, screened = (row["ways"][name] for name in ("graph", "persistent", "screened"))
        moved, launches = (sum(kernel[key] for kernel in screened["kernels"]) for key in ("bytes", "launches"))
        yield (f"{row['card']:9}{row['batch']:6}{row['bytes'] / 1e6:8.0f}{row['flops'] / 1e9:8.1f}{row['launches']:9}"
               f"  {graph['products']:9}{row['bound_us']:9.0f}"
               f"{graph['us']:10.0f}{graph['tokens_per_second']:10,.0f}{graph['share_of_bound']:9.0%}"
               f"{persistent['us']:15.0f}{persistent['tokens_per_second']:10,.0f}{persistent['share_of_bound']:9.0%}"
               f"{screened['us']:13.0f}{moved / 1e6:8.0f}{launches:9}{screened['tokens_per_second']:10,.0f}"
               f"{graph['us'] / screened['us']:8.2f}")


def host_lines(results):
    yield (f"{'host':9}{'batch':>6}{'host us':>9}{'waited for us':>15}{'tokens/s':>10}"
           f"{'a step ahead us':>17}{'tokens/s':>10}{'faster':>8}")
    for row in results["decode"]:
        waited, ahead = row["host"]["waited"], row["host"]["ahead"]
        yield (f"{row['card']:9}{row['batch']:6}{row['host']['us']:9.0f}{waited['us']:15.0f}"
               f"{waited['tokens_per_second']:10,.0f}{ahead['us']:17.0f}{ahead['tokens_per_second']:10,.0f}"
               f"{waited['us'] / ahead['us']:8.2f}")


def kernel_lines(results):
    for row in results["decode"]:
        yield f"\n{row['card']}, batch {row['batch']}: the work of each kernel, without its launch"
        yield f"  {'kernel':20}{'launches':>9}{'blocks':>8}{'MB':>9}{'MFLOP':>10}{'us':>8}"
        for kernel in row["ways"]["graph"]["kernels"]:
            yield (f"  {kernel['name']:20}{kernel['launches']:9}{kernel['blocks']:8}{kernel['bytes'] / 1e6:9.2f}"
                   f"{kernel['flops'] / 1e6:10.1f}{kernel['us']:8.1f}")


def prompt_lines(results):
    yield (f"{'prompt':9}{'tokens':>8}{'TFLOP':>8}{'launches':>9}{'bound ms':>10}"
           f"{'attention by rows ms':>22}{'of peak':>9}{'by tiles ms':>13}{'tokens/s':>12}{'of peak':>9}")
    for row in results["prefill"]:
        rows, tiles = row["ways"]["rows"], row["ways"]["tiles"]
        yield (f"{row['card']:9}{row['tokens']:8}{row['flops'] / 1e12:8.2f}{row['launches']:9}"
               f"{row['bound_us'] / 1e3:10.2f}{rows['us'] / 1e3:22.2f}{rows['share_of_peak']:9.1%}"
               f"{tiles['us'] / 1e3:13.2f}{tiles['tokens_per_second']:12,.0f}{tiles['share_of_peak']:9.1%}")


def table(results, with_kernels):
    model = results["model"]
    lines = [f"{model['name']}, {results['dtype']}, {model['weights'] / 1e6:.1f} M weights. Predicted, not measured.", ""]
    lines += decode_lines(results) if results["decode"] else []
    lines += ["", *host_lines(results)] if results["decode"] else []
    lines += kernel_lines(results) if with_kernels else []
    lines += ["", *prompt_lines(results)] if results["prefill"] else []
    return "\n".join(lines)
