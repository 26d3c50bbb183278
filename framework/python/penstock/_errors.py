"""The one exception that the engine raises."""

from __future__ import annotations

import re

_EXIT_CODES = {"usage": 2, "data": 65, "not_found": 66, "unavailable": 69, "internal": 70, "retry": 75,
               "cancelled": 130}
_PLACE = re.compile(r"^(.+:\d+:\d+): ")


class Error(RuntimeError):
    """What was wrong, what was expected and what to do.

    code      "usage", "data", "not_found", "unavailable", "internal", "retry" or "cancelled"
    exit_code the number that the programs end with for it
    message   the first line alone: what was wrong
    stage     the stage it happened in, such as "decode"; None: in none
    step      the step of a composition; None: there is none
    request   the id of the request; None: it belongs to none
    place     "file:line:column" of the first problem of a pipeline file, or None
    problems  every problem of a pipeline file, one line each
    places    where it happened, innermost first: (kind, name, detail)
    """

    def __init__(self, code: str, message: str, places: list[tuple[str, str, str]] | None = None,
                 problems: list[str] | None = None) -> None:
        self.code = code
        self.message = message
        self.places = list(places or [])
        self.problems = list(problems or [])
        super().__init__(code, message, self.places, self.problems)

    @property
    def exit_code(self) -> int:
        return _EXIT_CODES.get(self.code, 70)

    @property
    def stage(self) -> str | None:
        return self._name("stage")

    @property
    def step(self) -> str | None:
        return self._name("step")

    @property
    def request(self) -> str | None:
        return self._name("request")

    @property
    def place(self) -> str | None:
        for line in self.problems or [self.message]:
            found = _PLACE.match(line)
            if found:
                return found[1]
        return None

    def _name(self, kind: str) -> str | None:
        return next((name for each, name, _ in self.places if each == kind), None)

    def __str__(self) -> str:
        return "\n  in ".join([self.message, *map(_shown, self.places)])


def _shown(place: tuple[str, str, str]) -> str:
    kind, name, detail = place
    if kind in ("other", "input"):
        return name
    if kind == "sink":
        return "the receiver of results"
    return f"{kind} '{name}'" + (f" ({detail})" if detail else "")


def made(_number: int, code: str, text: str, places: list[tuple[str, str, str]], problems: list[str]) -> Error:
    """Called by the extension for each error that leaves it."""
    message = "\n".join(problems) if problems else text
    if "there is no plugin 'openvino'" in message:
        message += "\nIts OpenVINO is not here, or is of another version: pip install 'penstock[openvino]'"
    return Error(code, message, places, problems)
