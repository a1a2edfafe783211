"""Loading a model and its tokenizer with transformers, quietly, and with errors that fit on a line."""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from skythought.backends.transformers.args import TransformersArgs
from skythought.backends.weights import one_line, weights_source
from skythought.config import ModelConfig
from skythought.errors import BackendError, UserError

if TYPE_CHECKING:
    import torch

__all__ = ["MODEL_FILES", "Pretrained", "deterministic", "load_pretrained", "require_device"]

MODEL_FILES = ("config.json",)
"""What is in a folder that transformers can load."""


class Pretrained(NamedTuple):
    """A model ready to run."""

    network: Any
    tokenizer: Any
    context_length: int | None
    ends: frozenset[int]
    """Tokens that end a sequence."""
    missing: list[str]
    """Names of weights that the checkpoint lacks, so that they are random."""


def load_pretrained(model: ModelConfig, args: TransformersArgs) -> Pretrained:
    """Load what `model` names onto the device.

    Raises:
        UserError: There is no such model, or device, or the model cannot be run this way.
        BackendError: The model is there but its tokenizer or weights cannot be loaded.
    """
    _silence()
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    device = _device(args.device)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    source = weights_source(model, MODEL_FILES)
    shared = {"revision": args.revision, "trust_remote_code": args.trust_remote_code}
    try:
        config = AutoConfig.from_pretrained(source, **shared)
    except (OSError, ValueError, ImportError) as error:
        if "trust_remote_code" in str(error):
            raise UserError(
                f"model {model.model_id!r} brings code of its own: read it, then allow it with the backend "
                "argument trust_remote_code=true."
            ) from error
        raise UserError(f"model {model.model_id!r}: {one_line(error)}") from error

    def load(what: str, loader: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return loader(source, config=config, **shared, **arguments)
        except Exception as error:
            raise BackendError(f"model {model.model_id!r}: cannot load its {what}: {one_line(error)}") from error

    tokenizer = load("tokenizer", AutoTokenizer.from_pretrained)
    network, report = load(
        "weights",
        AutoModelForCausalLM.from_pretrained,
        dtype=_dtype(args.dtype, device),
        output_loading_info=True,
        **({"attn_implementation": args.attn_implementation} if args.attn_implementation else {}),
        **args.model_kwargs,
    )
    if not {"device_map", "quantization_config"} & set(args.model_kwargs):
        try:
            network = network.to(device)
        except RuntimeError as error:
            raise BackendError(f"model {model.model_id!r} does not go onto {device}: {one_line(error)}") from error
    context = args.max_model_len or _context_length(network)
    return Pretrained(network.eval(), tokenizer, context, _ends(network, tokenizer), sorted(report["missing_keys"]))


@contextmanager
def deterministic() -> Iterator[None]:
    """Torch with deterministic algorithms and without TF32, in the whole process; at the end as it was before.

    Operations that have no deterministic algorithm (cumulative sums on CUDA) run all the same.
    """
    import torch

    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.get_float32_matmul_precision(),
    )
    # cuBLAS reads it when it is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.set_float32_matmul_precision("highest")  # no TF32
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.set_float32_matmul_precision(before[2])


def require_device(name: str | None) -> None:
    """Refuse "cuda" on a machine without such a GPU, before torch, which takes its time, is imported.

    Raises:
        UserError: There is neither NVIDIA's driver nor AMD's.
    """
    wanted = (name or "").partition(":")[0] == "cuda"
    if not wanted or sys.platform != "linux" or Path("/dev/kfd").exists():  # that is AMD's
        return
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        raise UserError(
            f"--backend-args device={name}: this machine has no NVIDIA or AMD driver; device=cpu, or leave it out."
        ) from None


def _silence() -> None:
    """Switch off the libraries' progress bars and advice, which would break into the display of the command line."""
    import huggingface_hub
    import transformers
    from huggingface_hub.utils.tqdm import disable_progress_bars

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    huggingface_hub.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    disable_progress_bars()
    warnings.filterwarnings("ignore", module=r"(torch|transformers|huggingface_hub)(\.|$)")


def _device(name: str | None) -> torch.device:
    import torch

    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
        return torch.device(name)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {name!r} cannot be used: {one_line(error)}") from error


def _dtype(name: str, device: torch.device) -> Any:
    import torch

    if name == "auto":
        return torch.float32 if device.type == "cpu" else "auto"
    return getattr(torch, name)


def _context_length(network: Any) -> int | None:
    length = getattr(network.config.get_text_config(decoder=True), "max_position_embeddings", None)
    return length if isinstance(length, int) and length > 0 else None


def _ends(network: Any, tokenizer: Any) -> frozenset[int]:
    ends: set[int] = set()
    for given in (network.generation_config.eos_token_id, tokenizer.eos_token_id):
        ends.update(given if isinstance(given, list) else [] if given is None else [given])
    return frozenset(ends)
