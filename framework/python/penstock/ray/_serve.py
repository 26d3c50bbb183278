"""Pipelines behind Ray Serve. A replica is a pipeline-serve of its own behind a socket that nobody else can open: so
every route it has, OpenAI's among them, is there, and answers are those of pipeline-serve, byte for byte."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

from .._errors import Error
from .._inputs import override_text
from .._native import ROOT, find_pipeline
from .._programs import _environment
from ._health import end_process
from ._need import need

# Of a connection, not of a message: a proxy has its own.
_OF_A_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
             "transfer-encoding", "upgrade", "host", "expect"}


_libc = ctypes.CDLL(None)  # looked up here: between fork and exec there is little that may be done


def _die_with_parent() -> None:
    """In the child: a replica that is killed leaves no server behind."""
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def command_of(pipelines: Mapping[str, str], set: Mapping[str, Any], socket: str,
               arguments: tuple[str, ...]) -> list[str]:
    """What starts the server; names of pipelines that came along become paths."""
    out = [str(ROOT / "bin" / "pipeline-serve"), "--unix-socket", socket]
    for key, value in set.items():
        out += ["--set", f"{key}={override_text(value)}"]
    return [*out, *arguments, *(f"{name}={find_pipeline(file)}" for name, file in pipelines.items())]


class Server:
    """pipeline-serve as a child of this process, which ends when the child does."""

    def __init__(self, pipelines: Mapping[str, str], set: Mapping[str, Any], arguments: tuple[str, ...],
                 start_timeout: float) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="penstock-")  # of this user alone
        self.socket = os.path.join(self._folder.name, "serve")
        self._command = command_of(pipelines, set, self.socket, arguments)
        self._said: list[str] = []
        self._is_ready = threading.Event()
        self._is_ended = False
        self._child: subprocess.Popen[str] | None = None
        # Of one thread from beginning to end: with the thread that started it a child would die.
        threading.Thread(target=self._run, name="penstock-serve", daemon=True).start()
        is_told = self._is_ready.wait(start_timeout)
        if not is_told or self._is_ended:
            self.close()
            raise Error("unavailable", "pipeline-serve " + ("ended" if is_told else
                        f"was not ready after {start_timeout:g} s") + ": " + "".join(self._said[-20:]).strip())

    def _run(self) -> None:
        self._child = child = subprocess.Popen(self._command, env=_environment(), stderr=subprocess.PIPE, text=True,
                                               errors="replace", preexec_fn=_die_with_parent)
        assert child.stderr is not None
        for line in child.stderr:
            if not self._is_ready.is_set():
                self._said.append(line)
                if line.strip().endswith(": ready"):
                    self._is_ready.set()
            else:
                print(line, end="", flush=True)
        code = child.wait()
        if self._is_ready.is_set() and not self._is_ended:
            end_process(f"since its pipeline-serve ended with {code}")
        self._is_ended = True
        self._is_ready.set()

    def close(self) -> None:
        """Lets what runs end."""
        self._is_ended = True
        if self._child is not None:
            self._child.terminate()


class Replica:
    """What Ray Serve calls: gives each request to its server, and its answer back while it comes."""

    def __init__(self, pipelines: dict[str, str], set: dict[str, Any], arguments: tuple[str, ...],
                 start_timeout: float) -> None:
        self._server = Server(pipelines, set, arguments, start_timeout)
        self._client: Any = None

    def _session(self) -> Any:
        if self._client is None:
            aiohttp = need("aiohttp")
            self._client = aiohttp.ClientSession(connector=aiohttp.UnixConnector(self._server.socket, limit=0),
                                                 timeout=aiohttp.ClientTimeout(total=None), auto_decompress=False)
        return self._client

    async def __call__(self, request: Any) -> Any:
        """One HTTP request."""
        responses = need("starlette.responses")
        path = request.scope["path"].removeprefix(request.scope.get("root_path", "")) or "/"
        query = request.scope.get("query_string", b"").decode("latin-1")
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _OF_A_HOP]
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        answer = await self._session().request(request.method, "http://localhost" + path + ("?" + query) * bool(query),
                                               headers=headers, data=request.stream() if has_body else None,
                                               allow_redirects=False)
        response = responses.StreamingResponse(_pieces(answer), answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _OF_A_HOP:
                response.headers.append(name, value)
        return response

    async def check_health(self) -> None:
        """Raises where the server does not answer: Ray Serve then starts another replica."""
        timeout = need("aiohttp").ClientTimeout(total=20)
        async with self._session().get("http://localhost/health", timeout=timeout) as answer:
            if answer.status != 200:
                raise RuntimeError(f"pipeline-serve is not well: {answer.status} {await answer.text()}")

    def __del__(self) -> None:
        server = getattr(self, "_server", None)
        if server is not None:
            server.close()


async def _pieces(answer: Any) -> AsyncIterator[bytes]:
    """A client that goes away closes this, and with it the request within a step."""
    try:
        async for piece in answer.content.iter_any():
            yield piece
    finally:
        answer.close()


def serve_app(*pipelines: str | os.PathLike[str], set: Mapping[str, Any] | None = None, replicas: int | str = 1,
              cpus: float = 1, gpus: float = 0, arguments: tuple[str, ...] = (), max_ongoing_requests: int = 64,
              start_timeout: float = 600, name: str = "penstock", **deployment: Any) -> Any:
    """An application for ray.serve.run(): pipelines over HTTP, with pipeline-serve's routes: /v1/chat/completions,
    /v1/completions, /v1/embeddings, /v1/models, ...; answers are streamed where they are asked to be.

    pipelines   files, or names of those that came along; "NAME=FILE" serves it under another name
    set         as pipeline-serve's: {"gemma_chat.decode.temperature": 0}
    replicas    each with engines of its own; "auto": as Ray Serve scales
    cpus, gpus  of each
    arguments   for pipeline-serve: ("--api-key-file", "/etc/keys", "--max-body", "4194304")
    deployment  for Ray Serve: autoscaling_config=, ray_actor_options=, graceful_shutdown_timeout_s=, ...
    """
    if not pipelines:
        raise Error("usage", "serve_app() needs a pipeline: serve_app('gemma_chat.yaml')")
    named: dict[str, str] = {}
    for each in map(os.fspath, pipelines):
        given, _, file = each.rpartition("=")
        named[given or os.path.splitext(os.path.basename(file))[0]] = file
    threads = () if "--threads" in arguments or cpus < 1 else ("--threads", str(int(cpus)))
    resources = {"num_cpus": cpus, "num_gpus": gpus, **deployment.pop("ray_actor_options", {})}
    made = need("ray.serve").deployment(Replica).options(
        name=name, num_replicas=replicas, ray_actor_options=resources, max_ongoing_requests=max_ongoing_requests,
        **deployment)
    return made.bind(named, dict(set or {}), (*threads, *arguments), start_timeout)
