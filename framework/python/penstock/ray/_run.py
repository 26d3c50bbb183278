"""A pipeline over a data set of Ray Data."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from .._errors import Error
from ._engine import Engine
from ._need import need
from ._rows import ANSWER, Inputs, Outputs

# Batches that one engine has at once: while the last rows of one end, those of the next have begun.
BATCHES_AT_ONCE = 3


def pool(engines: int | tuple[int, int], batches_at_once: int) -> Any:
    """Actors of Ray Data, each with several calls at once."""
    strategy = need("ray.data").ActorPoolStrategy
    least, most = engines if isinstance(engines, tuple) else (engines, engines)
    if not 1 <= least <= most:
        raise Error("usage", f"engines={engines!r}; expected 1 or more, or (least, most)")
    if batches_at_once < 1:
        raise Error("usage", f"batches_at_once={batches_at_once}; expected 1 or more")
    return strategy(min_size=least, max_size=most, max_concurrent_calls_per_actor=batches_at_once,
                    max_tasks_in_flight_per_actor=2 * batches_at_once, enable_true_multi_threading=True)


def warn_of_a_standstill(engines: int | tuple[int, int], cpus: float) -> None:
    """Ray Data waits without end, and in silence, where its own tasks find no CPU."""
    ray = need("ray")
    least = engines if isinstance(engines, int) else engines[0]
    there = ray.cluster_resources().get("CPU", 0.0) if ray.is_initialized() else None
    if there is not None and least * cpus > there - 1:
        warnings.warn(f"engines={least} of cpus={cpus:g} leave no CPU of the {there:g} that the cluster has to Ray "
                      "Data's own tasks, which read and cut the rows; ask for less, or nothing moves until the "
                      "cluster grows", stacklevel=3)


def run(ds: Any, file: str | os.PathLike[str], *, column: Inputs = "text", outputs: Outputs = ANSWER,
        error: str = "error", set: Mapping[str, Any] | None = None, options: Mapping[str, Any] | None = None,
        plugin_path: Iterable[str | os.PathLike[str]] = (), engines: int | tuple[int, int] = 1, cpus: float = 1,
        gpus: float = 0, batch_size: int = 64, batches_at_once: int = BATCHES_AT_ONCE, in_order: bool = False,
        stall_timeout: float | None = 900, **remote_args: Any) -> Any:
    """The data set with the results of a pipeline in new columns; lazy, as Ray Data is.

    ds               of any of Ray Data's readers: read_json, read_parquet, read_images, read_binary_files, ...
    column, outputs, error, set, options, plugin_path, stall_timeout   as Engine's
    engines          actors, each with an engine of its own; (least, most): as many as there is work for
    cpus, gpus       of each: a GPU for `device: cuda`, the compute threads for the CPU; leave one CPU of the
                     cluster to Ray Data's own tasks
    batch_size       rows of a block: what moves, and what is done again when a node is lost
    batches_at_once  that an engine has; with batch_size, at least what its batch can run together
    in_order         the rows in the order of the input; else as they come
    remote_args      for the actors, as Ray's: resources=, max_restarts=, runtime_env=, ...

    A bad row costs that row: its `error` says why. A file or model that cannot be opened ends the run.
    """
    compute = pool(engines, batches_at_once)
    if batch_size < 1:
        raise Error("usage", f"batch_size={batch_size}; expected 1 or more")
    warn_of_a_standstill(engines, cpus)
    if in_order:
        ds.context.execution_options.preserve_order = True
    arguments = {"column": column, "outputs": dict(outputs), "error": error, "set": dict(set or {}),
                 "options": dict(options or {}), "plugin_path": [os.fspath(each) for each in plugin_path],
                 "max_in_flight": batch_size * batches_at_once, "stall_timeout": stall_timeout}
    # A file of little text is one block: too few for many engines.
    return ds.repartition(target_num_rows_per_block=batch_size).map_batches(
        Engine, fn_constructor_args=(os.fspath(file),), fn_constructor_kwargs=arguments, batch_size=batch_size,
        batch_format="pyarrow", compute=compute, num_cpus=cpus, num_gpus=gpus, **remote_args)
