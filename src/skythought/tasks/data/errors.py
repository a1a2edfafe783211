"""What to do about a dataset that cannot be had, in one line each."""

from __future__ import annotations

import ast
import re
import socket

from skythought.errors import SkythoughtError, UserError, did_you_mean

__all__ = ["explained"]

NETWORK = {"TransportError", "ClientConnectionError", "ConnectionError", "TimeoutException", "MaxRetryError"}
"""Base classes of "there is no connection" in the HTTP clients that the hub's client has used over time."""
LOCAL = (
    "a local copy (--task-args dataset_path=FILE), a mirror (HF_ENDPOINT=https://...), or what is in the cache "
    "(HF_HUB_OFFLINE=1)"
)


def explained(path: str, error: Exception) -> SkythoughtError:
    """The error as one line that names the dataset and the way out."""
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, SkythoughtError):
            return one
    kinds = {kind.__name__ for one in chain for kind in type(one).__mro__}
    status = next((found for one in chain if (found := _status(one)) is not None), None)
    name = f"dataset {path!r}"
    why = " ".join(str(error).split())[:500]
    said = (
        _about_access(name, path, kinds, why)
        or _about_connection(name, kinds, status, chain)
        or _about_layout(name, path, error, why)
        or f"{name} cannot be read ({type(error).__name__}: {why}). Instead: {LOCAL}."
    )
    return UserError(said)


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None) or getattr(error, "status", None)
    return status if isinstance(status, int) else None


def _page(path: str) -> str:
    match = re.match(r"(?:hf://datasets/)?([^/@]+/[^/@]+)", path)
    return f"https://huggingface.co/datasets/{match.group(1) if match else path}"


def _about_access(name: str, path: str, kinds: set[str], why: str) -> str | None:
    """Gated, missing, or another revision."""
    if "GatedRepoError" in kinds or "is a gated dataset" in why:
        return (
            f"{name} is gated: ask for access at {_page(path)}, then log in with `hf auth login` or set HF_TOKEN. "
            "If you are logged in, that account has no access yet."
        )
    if "RevisionNotFoundError" in kinds:
        return f"{name} has no such revision (dataset_kwargs: revision); {_page(path)} lists branches and commits."
    if kinds & {"RepositoryNotFoundError", "DatasetNotFoundError", "HFValidationError"}:
        return (
            f"{name}: there is no such dataset on the hub, or it is private (log in with `hf auth login` or set "
            "HF_TOKEN). Check the name; a local file would be given with its path, e.g. ./rows.jsonl."
        )
    return None


def _about_connection(name: str, kinds: set[str], status: int | None, chain: list[BaseException]) -> str | None:
    """No network, too many requests, a hub in trouble, or a file that is not in the cache."""
    if status == 429:
        return (
            f"{name}: the hub refuses more requests for now (429). Wait some minutes, log in for a higher limit "
            f"(`hf auth login` or HF_TOKEN), or use {LOCAL}."
        )
    if status is not None and status >= 500:
        return f"{name}: the hub is in trouble ({status}). Try again later, or use {LOCAL}."
    if _is_offline() and kinds & {*NETWORK, "OfflineModeIsEnabled", "LocalEntryNotFoundError"}:
        return (
            f"{name} is not in the cache, and HF_HUB_OFFLINE is set. With a network, load it once without it; or give "
            "a local copy: --task-args dataset_path=FILE."
        )
    if kinds & NETWORK or any(isinstance(one, (OSError, socket.gaierror)) and _is_network(one) for one in chain):
        where = "" if name.startswith("dataset 'http") else f" to {_endpoint()}"
        return f"{name} cannot be loaded: no connection{where}. Without a network use {LOCAL}."
    if status in (401, 403):
        return f"{name}: access is refused ({status}). Log in with `hf auth login` or set HF_TOKEN, or use {LOCAL}."
    if status == 404:
        return f"{name}: there is no such file at that address."
    return None


def _is_network(error: BaseException) -> bool:
    return isinstance(error, (ConnectionError, TimeoutError, socket.gaierror))


def _is_offline() -> bool:
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _endpoint() -> str:
    from huggingface_hub import constants

    return constants.ENDPOINT


def _about_layout(name: str, path: str, error: Exception, why: str) -> str | None:
    """Scripts, subsets and splits that are not there."""
    if "scripts are no longer supported" in why:
        return (
            f"{name} needs a loading script, which `datasets` does not run any more. Read its files instead: "
            f"dataset_path: json (or parquet), dataset_kwargs: {{data_files: hf://datasets/{path}/FILE}}."
        )
    if isinstance(error, ValueError) and ("BuilderConfig" in why or "Config name is missing" in why):
        wanted = re.search(r"BuilderConfig '([^']*)' not found", why)
        known = _listed(str(error))
        if wanted:
            near = did_you_mean(wanted.group(1), known)
            return f"{name} has no subset {wanted.group(1)!r}.{near} It has: {', '.join(known)}."
        return f"{name}: set dataset_subset to one of {', '.join(known)}." if known else f"{name}: {why}"
    if isinstance(error, ValueError) and "split" in why.lower():
        return f"{name}: {why}"
    if type(error).__name__ in ("EmptyDatasetError", "DataFilesNotFoundError"):
        return f"{name} holds no data files that can be read (jsonl, json, csv, parquet, arrow): {why}"
    if isinstance(error, OSError) and error.strerror:
        return f"{name} cannot be read: {error.strerror}."
    return None


def _listed(text: str) -> list[str]:
    match = re.search(r"\[[^\]]*\]", text)
    try:
        return [str(item) for item in ast.literal_eval(match.group(0))] if match else []
    except (ValueError, SyntaxError):
        return []
