"""Where replicas go on a cluster: what one takes, whether that can be there at all, and room for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skythought import cluster
from skythought.backends.ray.args import RayArgs
from skythought.backends.vllm.args import OPTION
from skythought.cluster import TYPE, Cluster, Need
from skythought.errors import UserError

__all__ = ["Placement", "plan", "workers_of"]


@dataclass(frozen=True)
class Placement:
    """How replicas are placed."""

    need: Need
    executor: str | None
    """Of vLLM, for the workers of a replica: `mp` on one node, `ray` over several, None for a single one."""

    @property
    def on_cpu(self) -> bool:
        return "GPU" not in self.need.each

    def new_group(self) -> Any:
        """A placement group for one replica. Ray fills it when there is room, and again when its node is lost."""
        import ray

        bundle = dict(self.need.each)
        if self.need.accelerator_type:
            bundle[TYPE + self.need.accelerator_type] = 0.001
        return ray.util.placement_group([bundle] * self.need.workers, strategy="PACK")

    def options(self, group: Any) -> dict[str, Any]:
        """Ray's options for the actor of a replica in its group."""
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        # vLLM's executor on Ray takes the GPUs by actors of its own, in the same group.
        gpus = 0 if self.executor == "ray" else self.need.each.get("GPU", 0)
        inside = PlacementGroupSchedulingStrategy(
            group, placement_group_bundle_index=0, placement_group_capture_child_tasks=True
        )
        return {"num_cpus": 1, "num_gpus": gpus, "scheduling_strategy": inside}


def workers_of(engine: Mapping[str, Any]) -> int:
    """How many GPUs a replica with these arguments takes."""
    return int(engine.get("tensor_parallel_size") or 1) * int(engine.get("pipeline_parallel_size") or 1)


def plan(args: RayArgs, engine: Mapping[str, Any], where: Cluster) -> Placement:
    """How the replicas are placed on this cluster.

    Args:
        engine: The engine's arguments.

    Raises:
        UserError: The cluster can never hold them.
    """
    nodes = where.nodes()
    on_cpu = not any(node.get("GPU") for node in nodes) and _is_cpu_build()
    placement = _placement(args, engine, where, on_cpu)
    if on_cpu and workers_of(engine) > 1:
        raise UserError(
            f"--backend ray: {cluster.shortage(_placement(args, engine, where, False).need, nodes)}. vLLM's build for "
            f"the CPU is installed, which runs without any: {OPTION} tensor_parallel_size=1."
        )
    lack = where.lacks(placement.need)
    if lack is not None:
        raise UserError(f"--backend ray: {lack} ({where.where}).{_fitting(args, engine, where, on_cpu)}")
    return placement


def _placement(args: RayArgs, engine: Mapping[str, Any], where: Cluster, on_cpu: bool) -> Placement:
    """All GPUs of a replica in one piece, so on one node; where the nodes have no room for that, one by one."""
    kind = args.accelerator_type
    if on_cpu:
        return Placement(Need(args.num_replicas, 1, {"CPU": 1}, kind), None)
    workers = workers_of(engine)
    whole = Need(args.num_replicas, 1, {"GPU": workers, "CPU": 1}, kind)
    executor = engine.get("distributed_executor_backend")
    if executor is None and workers > 1:
        executor = "mp" if cluster.shortage(whole, where.nodes()) is None else "ray"
    if executor == "ray":
        return Placement(Need(args.num_replicas, workers, {"GPU": 1, "CPU": 1}, kind), "ray")
    return Placement(whole, executor)


def _fitting(args: RayArgs, engine: Mapping[str, Any], where: Cluster, on_cpu: bool) -> str:
    """Arguments that would fit, for the end of a message."""

    def fits(replicas: int, size: int) -> bool:
        fewer = args.model_copy(update={"num_replicas": replicas})
        return where.lacks(_placement(fewer, {**engine, "tensor_parallel_size": size}, where, on_cpu).need) is None

    size = int(engine.get("tensor_parallel_size") or 1)
    for replicas in range(args.num_replicas - 1, 0, -1):
        if fits(replicas, size):
            return f" {OPTION} num_replicas={replicas} would fit."
    while (size := size // 2) > 0:
        if fits(1, size):
            return f" {OPTION} num_replicas=1,tensor_parallel_size={size} would fit."
    return ""


def _is_cpu_build() -> bool:
    from vllm.platforms import current_platform

    return bool(current_platform.is_cpu())
