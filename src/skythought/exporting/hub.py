"""Publishing an export as a dataset on the hub."""

from __future__ import annotations

import re
from pathlib import Path

from skythought.errors import SkythoughtError, UserError

__all__ = ["push", "require_pushable"]


def require_pushable(name: str) -> None:
    """Refuse, before anything is made, what could not be uploaded: a name that is none, or nobody logged in.

    Raises:
        UserError: See above.
    """
    from huggingface_hub import get_token

    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise UserError(
            f"--push-to-hub: the name of a dataset is wanted with its account, such as me/data, not {name!r}."
        )
    if get_token() is None:
        raise UserError("--push-to-hub: nobody is logged in; run `hf auth login`, or set HF_TOKEN.")


def push(folder: Path, name: str, *, private: bool) -> str:
    """Upload an export as the dataset `name`, in one commit; shards that an earlier one left there are deleted.

    Args:
        private: Of a dataset that is made by this; one that is there stays as it is.

    Returns:
        The dataset's address.

    Raises:
        SkythoughtError: It could not be uploaded; the export itself stays where it is.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        url = api.create_repo(name, repo_type="dataset", private=private, exist_ok=True)
        api.upload_folder(
            repo_id=name,
            repo_type="dataset",
            folder_path=folder,
            commit_message="Upload an export of skythought",
            delete_patterns="data/train-*",
        )
    except Exception as error:  # noqa: BLE001 -- the client's errors have no base class of their own, and vary by version
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise SkythoughtError(
            f"the export is in {folder}, but was not uploaded to {name} ({why[:500]}). `hf upload --repo-type dataset "
            f"{name} {folder} .` uploads it."
        ) from None
    return str(url)
