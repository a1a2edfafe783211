"""Connecting to a Ray cluster or starting one, and checking what it can hold.

Asked for more than a cluster can ever give, Ray waits for it silently and without end. So `shortage` compares what is
needed with what there is, before Ray is asked.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from skythought.errors import BackendError, UserError
from skythought.guard import Guard

__all__ = ["Cluster", "Need", "connect", "give_up_start", "keep_signals", "quiet", "quieten", "shortage"]

CONNECT_S = 10.0
SILENT = logging.CRITICAL + 1

TYPE = "accelerator_type:"
"""How Ray names the resource by which a node tells the kind of its GPUs."""


class Need(NamedTuple):
    """What is to be placed on a cluster: replicas, each of some workers that may be on different nodes."""

    replicas: int
    workers: int
    each: Mapping[str, float]
    """Resources of one worker, by Ray's names: GPU, CPU."""
    accelerator_type: str | None = None

    @property
    def unit(self) -> str:
        """The resource that is counted."""
        return "GPU" if "GPU" in self.each else "CPU"

    @property
    def what(self) -> str:
        """What one replica takes, in words."""
        amount = self.workers * self.each[self.unit]
        return f"{amount:g} {'GPU' if self.unit == 'GPU' else 'logical CPU'}{'' if amount == 1 else 's'}"

    @property
    def kind(self) -> str:
        """Of the GPUs, for the end of these words."""
        return f" of type {self.accelerator_type}" if self.accelerator_type else ""


class Cluster(NamedTuple):
    """A connection to a Ray cluster."""

    started: bool
    """It is ours, on this machine alone, and ends with us."""
    connected: bool
    """We connected to it, so the last of us who uses it disconnects; otherwise the caller had."""
    guard: Guard | None = None
    """Of a cluster of ours: its agents and workers would outlive it for half a minute or more."""

    @property
    def where(self) -> str:
        """In words, for messages."""
        return "a Ray of our own on this machine" if self.started else f"the Ray cluster at {self.address}"

    @property
    def address(self) -> str:
        """Host and port of the head."""
        import ray

        return str(ray.get_runtime_context().gcs_address)

    def nodes(self) -> list[Mapping[str, float]]:
        """The resources of each node that is alive, in use or not."""
        import ray

        return [node["Resources"] for node in ray.nodes() if node["Alive"]]

    def dead_nodes(self) -> set[str]:
        """Ids of the nodes that were lost."""
        import ray

        return {node["NodeID"] for node in ray.nodes() if not node["Alive"]}

    def here(self) -> dict[str, Any]:
        """Ray's arguments for what must live as long as this process: on its node, taking none of its CPUs."""
        import ray

        return {"num_cpus": 0, "label_selector": {"ray.io/node-id": ray.get_runtime_context().get_node_id()}}

    def lacks(self, need: Need) -> str | None:
        """Why `need` can never be placed, or None. A cluster that grows by itself is taken at its largest."""
        missing = shortage(need, self.nodes())
        if missing is not None and (most := _most_after_growing()) is not None:
            return shortage(need, [most])
        return missing

    def close(self, *, keep_logs: bool = False) -> None:
        """Disconnect, unless others in this process still use it, which ends all that we left on the cluster. Blocks.

        `keep_logs`: of a cluster of ours, too.
        """
        if not self.connected:
            return
        import ray

        with _one_at_a_time:
            if self.guard is not None and keep_logs:
                self.guard.keep(_session())
            _users.remove(self)
            if _users:
                return
            ray.shutdown()
            if self.guard is not None:
                self.guard.end()
            _unmute()
            _over.set()


def connect(address: str | None, option: str, *, cpus: int = 0) -> Cluster:
    """Connect to the cluster at `address`; without one to that which runs on this machine, else start one here.
    A process has one connection: where there is one, whoever comes next shares it, whatever the address.

    Args:
        address: Host and port of the head, "auto" (the one of this machine), "local" (a new one on this machine), or
            None. Ray's own variable RAY_ADDRESS counts where it is None.
        option: What the user wrote the address in, for messages.
        cpus: Logical CPUs that a cluster of our own must have at least, whatever the cores.

    Raises:
        UserError: There is no cluster at the address.
        BackendError: Ray cannot start here.
    """
    with _one_at_a_time:
        cluster = _users[0] if _users else _in_lasting_thread(lambda: _connect(address, option, cpus))
        if cluster.connected:
            _users.append(cluster)
        return cluster


def _in_lasting_thread(work: Callable[[], Cluster]) -> Cluster:
    """What `work` returns, in a thread that lives as long as the connection: Ray's calls hang where the one is gone
    that has connected, and a Ray that was started here ends with it.
    """
    outcome: Future[Cluster] = Future()
    _over.clear()

    def run() -> None:
        try:
            cluster = work()
        except BaseException as error:  # noqa: BLE001 -- raised again by whoever waits
            outcome.set_exception(error)
            return
        outcome.set_result(cluster)
        if cluster.connected:
            _over.wait()

    threading.Thread(target=run, daemon=True, name="skythought").start()
    return outcome.result()


def _connect(address: str | None, option: str, cpus: int) -> Cluster:
    warnings.filterwarnings("ignore", module=r"ray(\.|$)")
    with quiet():  # in notebooks it tells of packages that it misses
        import ray
    if ray.is_initialized():
        return Cluster(started=False, connected=False)
    if (address or "").startswith("ray://"):
        raise UserError(
            f"{option}={address}: a Ray client cannot do this; run the command on the cluster's head node "
            "(there address=auto), or send it there with `ray job submit`."
        )
    silent: dict[str, Any] = {"log_to_driver": False, "logging_level": SILENT}
    address = address or os.environ.get("RAY_ADDRESS") or None
    running = _address_here() if address in (None, "auto") else address
    if address == "local" or (address is None and running is None):
        return _start(max(os.cpu_count() or 1, cpus), silent)
    if running is None or not _answers(running):
        raise UserError(f"{option}={address}: no Ray cluster answers there.")
    try:
        with _silent_start():
            ray.init(address=running, **silent)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        why = " ".join(str(error).split())[:300]
        raise UserError(f"{option}={running}: cannot connect to this Ray cluster: {why}") from error
    _mute()
    return Cluster(started=False, connected=True)


def _start(cpus: int, silent: Mapping[str, Any]) -> Cluster:
    import ray

    guard = Guard()
    guard.add(sessions := _sessions())
    others = frozenset(process.pid for process in _started_beside(frozenset()))
    _starting.append(others)
    try:
        with _silent_start():
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, **silent)
        for process in _started_beside(others):
            guard.add(_mark(process))
        guard.keep(sessions)
        guard.add(_session())
    except Exception as error:
        raise BackendError(f"Ray cannot start on this machine: {' '.join(str(error).split())[:300]}") from error
    finally:
        _starting.remove(others)
    _mute()
    return Cluster(started=True, connected=True, guard=guard)


def give_up_start() -> None:
    """End what there is of a Ray that is being started here, if one is. Who starts it may get an error, or none."""
    for others in list(_starting):
        guard = Guard()
        guard.add(_sessions())
        for process in _started_beside(others):
            guard.add(_mark(process))
            with suppress(Exception):
                process.kill()
        guard.end()


def _started_beside(others: frozenset[int]) -> list[Any]:
    """Ray's first processes here, but for those of others. They end when the thread does that has connected."""
    with suppress(ImportError):
        import psutil  # type: ignore[import-untyped,unused-ignore]  # vLLM and `ray[default]` depend on it

        children = psutil.Process().children()
        return [child for child in children if child.pid not in others and child.name() in ("gcs_server", "raylet")]
    return []


def _mark(raylet: Any) -> str:
    """By what all that a node starts is known."""
    return f"RAY_RAYLET_PID={raylet.pid}"


def _sessions() -> str:
    """Pattern of the folders of the clusters that this process has started or is just starting."""
    from ray._common.utils import get_default_ray_temp_dir

    return f"{get_default_ray_temp_dir()}/session_*_{os.getpid()}"


def _session() -> str:
    """The folder of the cluster's logs and sockets."""
    from ray._private.worker import _global_node

    return str(_global_node.get_session_dir_path())


def keep_signals() -> None:
    """Give this process its handling of SIGTERM back, which Ray's core takes on connecting, to print its stack at it.

    To be called in the main thread; elsewhere it does nothing.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM) or signal.SIG_DFL)


def _address_here() -> str | None:
    """Of the Ray cluster that was started last on this machine, if it still runs."""
    with suppress(Exception):
        from ray._private.services import find_bootstrap_address

        address: str | None = find_bootstrap_address(None)
        if address and _answers(address):
            return address
    return None


def _answers(address: str) -> bool:
    """Whether anything listens there. Ray itself tries for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_S).close()
    except (OSError, ValueError):
        return False
    return True


def shortage(need: Need, nodes: Sequence[Mapping[str, float]]) -> str | None:
    """What is missing for `need` on nodes with these resources, for people; None if it can be placed.

    >>> shortage(Need(2, 4, {"GPU": 1, "CPU": 1}), [{"GPU": 4, "CPU": 64}])
    '2 replicas of 4 GPUs need 8, the cluster has 4'
    """
    wanted = need.replicas * need.workers
    what = need.unit
    if need.accelerator_type:
        typed = [node for node in nodes if TYPE + need.accelerator_type in node]
        if not typed:
            kinds = sorted({name.removeprefix(TYPE) for node in nodes for name in node if name.startswith(TYPE)})
            there = ", ".join(kinds) or "none that is named"
            return f"accelerator_type {need.accelerator_type!r}: no node has it; the kinds in the cluster: {there}"
        nodes = typed
    replicas = f"{need.replicas} replica{'' if need.replicas == 1 else 's'}"
    said = f"{replicas} of {need.what}"
    has = sum(node.get(what, 0) for node in nodes)
    one = need.replicas == 1
    if has < wanted * need.each[what]:
        return f"{said} {'needs' if one else 'need'} {wanted * need.each[what]:g}, the cluster has {has:g}{need.kind}"
    held = sum(_workers_that_fit(need.each, node) for node in nodes)
    if held < wanted:
        bundle = " and ".join(f"{amount:g} {name}" for name, amount in need.each.items())
        have = "; ".join(", ".join(f"{node.get(name, 0):g} {name}" for name in need.each) for node in nodes)
        takes = f"{said} {'takes' if one else 'take'} {bundle} for each worker of {wanted}"
        return f"{takes}, but the nodes ({have}) have room for {held}"
    return None


def _workers_that_fit(each: Mapping[str, float], node: Mapping[str, float]) -> int:
    """How many workers with these resources a node can hold."""
    return min(int(node.get(name, 0) // amount) for name, amount in each.items())


def _most_after_growing() -> dict[str, float] | None:
    """The resources that an autoscaler may bring the cluster to; None if there is none, or it does not tell."""
    with suppress(Exception):
        from ray._private.state import state

        most = state.get_max_resources_from_cluster_config()
        if most:
            return {name: float("inf") if amount is None else amount for name, amount in most.items()}
    return None


def quieten() -> None:
    """Keep Ray's own lines off the terminal. What matters of them is raised, and all are in its log files."""
    logging.getLogger("ray").setLevel(SILENT)
    for name in ("ray", "ray.data", "ray.llm", "ray.serve"):
        # Without those of the root, which are the user's: Ray adds them to its own.
        for handler in set(logging.getLogger(name).handlers) - set(logging.root.handlers):
            if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
                handler.setLevel(SILENT)


_one_at_a_time = threading.Lock()
"""Ray is joined once a process; who leaves it may still be at that when the next one comes."""

_users: list[Cluster] = []
"""Who uses the connection of this process, one entry each: runs may go on side by side."""

_over = threading.Event()
"""Set when nobody uses it any more."""

_starting: list[frozenset[int]] = []
"""While a Ray is being started: the processes of others that are there."""

_printer: list[Any] = []
"""Ray's own function that prints errors of the cluster, while it is replaced."""


def _mute() -> None:
    """Ray prints whole logs of nodes that die into standard output, and has no switch for it."""
    with suppress(ImportError, AttributeError):
        from ray._private import worker

        _printer[:] = [worker.print_to_stdstream]
        worker.print_to_stdstream = _print_nothing


def _unmute() -> None:
    if _printer:
        from ray._private import worker

        worker.print_to_stdstream = _printer.pop()


def _print_nothing(*_: object, **__: object) -> None:
    pass


@contextmanager
def quiet() -> Iterator[None]:
    """As `quieten`, for calls that set Ray's logging up anew."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        quieten()


@contextmanager
def _silent_start() -> Iterator[None]:
    """While Ray starts here: nothing about its use is sent anywhere, and its core prints nothing but its last words,
    unless the user has set it otherwise. (The core prints that its log level was set, so errors go nowhere meanwhile;
    what matters is raised.)
    """
    wanted = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)
        for name in added:
            os.environ.pop(name, None)
