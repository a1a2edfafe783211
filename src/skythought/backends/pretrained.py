"""Loading a model and its tokenizer with transformers, quietly, and with errors that fit on a line."""

from __future__ import annotations

import os
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from skythought.backends.base import BackendArgs
from skythought.config import ModelConfig
from skythought.errors import BackendError, UserError

if TYPE_CHECKING:
    import torch

__all__ = ["Pretrained", "TransformersArgs", "deterministic", "load_pretrained", "reason", "weights_source"]


class TransformersArgs(BackendArgs):
    """Arguments of the `transformers` backend."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: float32 on CPU, elsewhere what the weights were saved in."""
    device: str | None = None
    """As torch names it ("cuda:1"); None = the first there is of cuda, mps, cpu."""
    revision: str | None = None
    """Branch, tag or commit on the hub."""
    trust_remote_code: bool = False
    attn_implementation: str | None = None
    """"eager", "sdpa", "flash_attention_2", ...; None = the library's choice."""
    max_model_len: int | None = Field(default=None, ge=2)
    """Tokens of prompt and response together; None = what the model's configuration says."""
    deterministic: bool = False
    """Torch's deterministic algorithms where it has them, and no TF32; slower. Holds while the backend is open."""
    threads: int | None = Field(default=None, ge=1, json_schema_extra={"affects_answers": False})
    """CPU threads for one operation; None = torch's choice."""
    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Passed to `from_pretrained` as they are: `device_map`, `quantization_config`, `cache_dir`, ..."""


class Pretrained(NamedTuple):
    """A model ready to run."""

    network: Any
    tokenizer: Any
    context_length: int | None
    ends: frozenset[int]
    """Tokens that end a sequence."""
    missing: list[str]
    """Names of weights that the checkpoint lacks, so that they are random."""


def load_pretrained(model: ModelConfig, options: TransformersArgs) -> Pretrained:
    """Load what `model` names onto the device.

    Raises:
        UserError: There is no such model, or device, or the model cannot be run this way.
        BackendError: The model is there but its tokenizer or weights cannot be loaded.
    """
    _silence()
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    device = _device(options.device)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    source = weights_source(model, ("config.json",))
    shared = {"revision": options.revision, "trust_remote_code": options.trust_remote_code}
    try:
        config = AutoConfig.from_pretrained(source, **shared)
    except (OSError, ValueError, ImportError) as error:
        if "trust_remote_code" in str(error):
            raise UserError(
                f"model {model.model_id!r} brings code of its own: read it, then allow it with the backend "
                "argument trust_remote_code=true."
            ) from error
        raise UserError(f"model {model.model_id!r}: {reason(error)}") from error

    def load(what: str, loader: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return loader(source, config=config, **shared, **arguments)
        except Exception as error:
            raise BackendError(f"model {model.model_id!r}: cannot load its {what}: {reason(error)}") from error

    tokenizer = load("tokenizer", AutoTokenizer.from_pretrained)
    network, report = load(
        "weights",
        AutoModelForCausalLM.from_pretrained,
        dtype=_dtype(options.dtype, device),
        output_loading_info=True,
        **({"attn_implementation": options.attn_implementation} if options.attn_implementation else {}),
        **options.model_kwargs,
    )
    if not {"device_map", "quantization_config"} & set(options.model_kwargs):
        try:
            network = network.to(device)
        except RuntimeError as error:
            raise BackendError(f"model {model.model_id!r} does not go onto {device}: {reason(error)}") from error
    context = options.max_model_len or _context_length(network)
    return Pretrained(network.eval(), tokenizer, context, _ends(network, tokenizer), sorted(report["missing_keys"]))


@contextmanager
def deterministic() -> Iterator[None]:
    """Torch as repeatable as it can be, in the whole process; before, and again after, as it was.

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


def reason(error: BaseException) -> str:
    """An error's message on one line of bearable length, or its kind if it has none."""
    return textwrap.shorten(str(error), width=300, placeholder=" ...") or type(error).__name__


def _silence() -> None:
    """Progress bars and advice of the libraries would tear up the display of the command line."""
    import huggingface_hub
    import transformers
    from huggingface_hub.utils.tqdm import disable_progress_bars

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    huggingface_hub.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    disable_progress_bars()
    warnings.filterwarnings("ignore", module=r"(torch|transformers|huggingface_hub)(\.|$)")


def weights_source(model: ModelConfig, files: Sequence[str]) -> str:
    """Where an engine loads a model from: a local path, checked here for better words than the libraries', or a hub id.

    Args:
        files: Names of which a model's folder has at least one.

    Raises:
        UserError: It can only be a local path, and nothing is there; or a folder that holds no model.
    """
    weights = model.weights
    path = Path(weights).expanduser()
    if not path.exists():
        if weights.startswith(("/", ".", "~")):
            raise UserError(f"model {model.model_id!r}: there is no folder {weights!r}.")
        return weights
    if path.is_dir() and not any((path / name).is_file() for name in files):
        raise UserError(f"model {model.model_id!r}: the folder {weights!r} holds no config.json, so no model.")
    return str(path)


def _device(name: str | None) -> torch.device:
    import torch

    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
        return torch.device(name)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {name!r} cannot be used: {reason(error)}") from error


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
