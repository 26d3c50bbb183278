"""A Ray cluster of several nodes on this machine: loopback only, and closed to whoever has not its token."""

import contextlib
import os
import secrets
import signal
import time
from pathlib import Path

# Before Ray is imported. Its processes, and the actors' environments, inherit them.
os.environ["RAY_AUTH_MODE"] = "token"
os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_DATA_DISABLE_PROGRESS_BARS"] = "1"
os.environ["RAY_DISABLE_MEMORY_MONITOR"] = "1"
# Five seconds are too few for a proxy to start beside other tests.
os.environ["RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S"] = "60"
# Else Ray takes the address of the network that this machine is in, also where it was given loopback.
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"

import psutil  # noqa: E402
import ray  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

_NODE = {"num_cpus": 1, "object_store_memory": 100 << 20, "node_ip_address": "127.0.0.1", "resources": {"engine": 1}}


class Nodes:
    """A head that computes nothing, and nodes with room for one engine each."""

    def __init__(self, count: int) -> None:
        self.cluster = Cluster(initialize_head=True, head_node_args={
            "num_cpus": 1, "object_store_memory": 150 << 20, "node_ip_address": "127.0.0.1",
            "include_dashboard": False})
        self.nodes = [self.cluster.add_node(**_NODE) for _ in range(count)]
        ray.init(address=self.cluster.address, log_to_driver=False, logging_level="error")

    def kill(self, at: int) -> None:
        """SIGKILL to every process of a node: as when its machine loses power. Another takes its place."""
        raylet = next(one.process.pid for one in self.nodes[at].all_processes["raylet"])
        processes = psutil.Process(raylet).children(recursive=True)
        for process in [psutil.Process(raylet), *processes]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        self.cluster.remove_node(self.nodes[at], allow_graceful=False)
        self.nodes[at] = self.cluster.add_node(**_NODE)

    def close(self) -> None:
        ray.shutdown()
        self.cluster.shutdown()


def until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.02)


def parts_of(folder: Path, kind: str = "parquet") -> list[Path]:
    return sorted(folder.glob(f"part-*.{kind}"))
