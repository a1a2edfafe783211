"""What the engines' tests share: one event loop, and one vLLM engine in this process for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from engines import OneEngine

from skythought.backends.vllm.backend import VLLMBackend


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys and addresses of whoever runs the tests are not for them."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.Runner]:
    """An engine lives in one event loop."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def one_engine(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneEngine]:
    """vLLM in this process, with the arguments that `--reproducible` makes of a context of 1,024 tokens."""
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    one = OneEngine(loop, tmp_path_factory.mktemp("logs"))
    yield one
    one.end()


@pytest.fixture
def dying_engine(one_engine: OneEngine) -> Iterator[VLLMBackend]:
    """That engine, for a test that ends it."""
    yield one_engine.get()
    one_engine.end()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What ends the shared engine comes after the last file that uses it, so that it is started once."""

    def uses(item: pytest.Item, fixture: str) -> bool:
        return fixture in getattr(item, "fixturenames", ())

    ending = [item for item in items if uses(item, "dying_engine")]
    others = [item for item in items if not uses(item, "dying_engine")]
    files = [item.path for item in others if uses(item, "one_engine")]
    last = max((number for number, item in enumerate(others, 1) if item.path in files[-1:]), default=len(others))
    items[:] = others[:last] + ending + others[last:]
