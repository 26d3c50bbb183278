"""A server process: start, wait until ready, look at it, stop."""
import ctypes
import os
import signal
import socket
import subprocess
import tempfile
import time

import httpx
import psutil

from .target import expand


def _end_with_me():
    """A server does not outlive the tests, however they end (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One running server. `process` is None where the tests did not start it."""

    def __init__(self, target, variant=""):
        self.target = target
        self.variant = variant
        self.process = None
        self.log = None
        if target.url and not variant:
            self.url = target.url.rstrip("/")
            self.host, self.port = self._parts()
            return
        self.port = free_port()
        self.host = "127.0.0.1"
        self.url = f"http://127.0.0.1:{self.port}"
        self.dir = tempfile.TemporaryDirectory(prefix="serve-test-")
        self.key = "test-key-7f3a9c"
        key_file = os.path.join(self.dir.name, "keys")
        with open(key_file, "w") as file:
            file.write(self.key + "\n")
        os.chmod(key_file, 0o600)
        fills = {"port": str(self.port), "key_file": key_file, "key": self.key, "dir": self.dir.name}
        extra = target.variants[variant] if variant else []
        command = [part.format(**fills) for part in target.command(extra)]
        niceness = os.environ.get("SERVE_NICE", "0")
        command = ["nice", "-n", niceness] + command
        environment = {**os.environ, **{k: expand(v).format(**fills) for k, v in target.start.get("env", {}).items()}}
        self.command = command
        self.log_path = os.path.join(self.dir.name, "log")
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, env=environment,
                                        start_new_session=True, preexec_fn=_end_with_me)
        self.wait_ready(target.start.get("ready_s", 60))

    def _parts(self):
        host, _, port = self.url.split("//", 1)[1].partition(":")
        return host, int(port or 80)

    def headers(self):
        return {"Authorization": f"Bearer {self.key}"} if self.variant == "api_key" else {}

    def wait_ready(self, seconds):
        path = self.target.start.get("ready_path", "/health")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.tail()}")
            try:
                if httpx.get(self.url + path, timeout=2, headers=self.headers()).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"not ready after {seconds} s:\n{self.tail()}")

    def tail(self, count=4000):
        if not self.log:
            return ""
        self.log.flush()
        with open(self.log_path, "rb") as file:
            return file.read()[-count:].decode("utf-8", "replace")

    def alive(self):
        """Ended processes are findings: every test asks this at its end."""
        if self.process is not None and self.process.poll() is not None:
            return False
        try:
            path = self.target.start.get("ready_path", "/health")
            return httpx.get(self.url + path, timeout=10, headers=self.headers()).status_code == 200
        except httpx.HTTPError:
            return False

    def stats(self):
        """rss (bytes), cpu (seconds), fds, threads of the process and its children."""
        total = {"rss": 0, "cpu": 0.0, "fds": 0, "threads": 0}
        root = psutil.Process(self.process.pid)
        for process in [root] + root.children(recursive=True):
            with process.oneshot():
                total["rss"] += process.memory_info().rss
                times = process.cpu_times()
                total["cpu"] += times.user + times.system
                total["fds"] += process.num_fds()
                total["threads"] += process.num_threads()
        return total

    def signal(self, number=signal.SIGTERM):
        os.kill(self.process.pid, number)

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.log.close()
