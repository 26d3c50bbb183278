"""Runs the parts of tools/gpu_check: each under its own time limit and that of the whole, each with a log; what one of
them could not do is told and keeps no other from running."""
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import time

from fetch import Failure


class NotRun(Exception):
    """Why a part was left out: it is no fault."""


class Failed(Exception):
    """What a part found."""


@dataclasses.dataclass
class Outcome:
    name: str
    title: str
    state: str = "passed"  # passed | failed | not run
    reason: str = ""
    seconds: float = 0.0
    commands: list = dataclasses.field(default_factory=list)
    values: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Ran:
    code: int
    text: str  # of both streams


class Runner:
    def __init__(self, folder, seconds, fake=None):
        self.folder, self.fake = folder, fake
        self.until = time.monotonic() + seconds
        self.outcomes = []
        self.now = None
        self.part_until = self.until

    def left(self):
        return max(0.0, min(self.until, self.part_until) - time.monotonic())

    def part(self, name, title, limit, least, function):
        """Runs function(outcome), which fills `values`; it has `limit` seconds, and begins only with `least` left."""
        self.now = Outcome(name, title)
        begin = time.monotonic()
        self.part_until = min(self.until, begin + limit)
        try:
            if self.until - begin < least:
                raise NotRun(f"no time was left: it needs {least:.0f} s of {self.until - begin:.0f} s")
            function(self.now)
        except NotRun as reason:
            self.now.state, self.now.reason = "not run", str(reason)
        except Failed as reason:
            self.now.state, self.now.reason = "failed", str(reason)
        except Failure as reason:
            self.now.state, self.now.reason = "failed", str(reason)
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            self.now.state, self.now.reason = "failed", f"its answer was not understood: {error!r}"
        self.now.seconds = time.monotonic() - begin
        self.outcomes.append(self.now)
        return self.now

    def find(self, program, *others):
        """The path of a program; NotRun where it is not here."""
        if self.fake is not None:
            return [*self.fake, pathlib.Path(program).name]
        for place in (program, *others):
            found = shutil.which(str(place))
            if found:
                return [found]
        raise NotRun(f"{pathlib.Path(program).name} is not installed here")

    def run(self, command, most=None, environment=None):
        """Runs it to its end; Failed where that does not come in time. Its whole group ends with it."""
        command = [str(word) for word in command]
        limit = min(self.left(), most or self.left())
        log = self.folder / "logs" / f"{self.now.name}-{len(self.now.commands)}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        self.now.commands.append({"command": command, "log": str(log.relative_to(self.folder))})
        if limit < 1:
            raise Failed("no time was left for " + shown(command))
        with log.open("wb") as to:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.STDOUT,
                                       env={**os.environ, **(environment or {})}, start_new_session=True)
            try:
                code = process.wait(limit)
            except subprocess.TimeoutExpired as late:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise Failed(f"{shown(command)} did not end in {limit:.0f} s") from late
        text = log.read_text("utf-8", "replace")
        self.now.commands[-1]["code"] = code
        return Ran(code, text)

    def must(self, command, most=None, environment=None):
        """As run(); Failed where the exit code is not 0."""
        ran = self.run(command, most, environment)
        if ran.code != 0:
            raise Failed(f"{shown(command)}: exit {ran.code}: {last_lines(ran.text)}")
        return ran


def shown(command):
    return " ".join(str(word) for word in command)[:200]


def last_lines(text):
    """An error's: what went wrong may stand above where it did."""
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-3:])[:600] or "it said nothing"


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
