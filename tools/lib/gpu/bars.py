"""What the engine is asked for on an H100 or H200, beside what a run of tools/gpu_check measured."""
import dataclasses
import operator

LONG_PROMPT, LARGE_STEP = 32_766, 8192  # of 270M's context, less two tokens to write; a card's largest step
LONG = f"prompt of {LONG_PROMPT}, steps of {LARGE_STEP}"
START = "start to first token, s"
EAGER = "ours, times as fast as eager"


@dataclasses.dataclass(frozen=True)
class Bar:
    title: str
    part: str
    keys: tuple  # where its figure stands in the part's values
    asked: float
    is_most: bool = False  # asked for at most so much; else at least
    is_share: bool = False

    def measured(self, outcomes):
        """The figure; None where there is none."""
        found = next((each.values for each in outcomes if each.name == self.part), {})
        for key in self.keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def shown(self, figure):
        return f"{figure:.1%}" if self.is_share else f"{figure:,.2f}" if figure < 100 else f"{figure:,.0f}"


ALL = (
    Bar("decode, batch 1, tokens/s", "throughput", ("decode, batch 1", "tokens_per_second"), 1500),
    Bar("decode, batch 64, tokens/s of all", "throughput", ("decode, batch 64", "tokens_per_second"), 40_000),
    Bar("decode, batch 1, times as fast as transformers eager", "transformers", (EAGER,), 10),
    Bar(f"{LONG}, of the card's bf16 peak", "throughput", (LONG, "share_of_peak"), 0.40, is_share=True),
    Bar("from the program's start to its first token, s", "throughput", (START,), 1.5, is_most=True),
)


def why_none(bar, outcomes):
    part = next((each for each in outcomes if each.name == bar.part), None)
    if part is None:
        return f"{bar.part} was left out"
    return part.reason or ("the card's peak is not known here" if bar.is_share else f"{bar.part} has no such figure")


def table(outcomes):
    """For each bar what was asked and measured, and "met", "missed" or "not measured"; with these why."""
    out = []
    for bar in ALL:
        figure = bar.measured(outcomes)
        holds = operator.le if bar.is_most else operator.ge
        state = "not measured" if figure is None else "met" if holds(figure, bar.asked) else "missed"
        out.append({"bar": bar.title, "asked": ("at most " if bar.is_most else "at least ") + bar.shown(bar.asked),
                    "measured": None if figure is None else bar.shown(figure), "state": state,
                    "reason": why_none(bar, outcomes) if figure is None else ""})
    return out
