"""Sandboxes that the tests of this folder share: starting one takes longer than most tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from arena import LIMITS, SECRET_NAME

from skythought.sandbox import Limits, Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """With every layer that there is."""
    with Sandbox(limits=Limits(cpu_s=2)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=[(), ("namespaces",)], ids=["all", "no-namespaces"])
def confined(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """For hostile programs: with and without namespaces, which containers and clusters often forbid."""
    os.environ[SECRET_NAME] = "secret"
    with Sandbox(limits=LIMITS, without=request.param) as sandbox:
        found = sandbox.layers()["layers"]
        if "landlock" not in found or "seccomp" not in found:
            pytest.skip("this kernel offers too little to hold them all")
        yield sandbox
    del os.environ[SECRET_NAME]
