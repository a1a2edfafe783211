"""Why an engine died, out of its log and its error."""

import pytest

from skythought.backends.vllm.root_cause import KILLED, root_cause, why_dead


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("INFO fine\n", None),
        (
            "Traceback (most recent call last):\n  File x\ntorch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB\n"
            "Traceback (most recent call last):\n  File y\n\nRuntimeError: Worker failed with 'CUDA out of memory'"
            ", please check the stack trace above for the root cause\n"
            "Traceback (most recent call last):\n  File z\nzmq.error.ZMQError: closed\n",
            "torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB",
        ),
        (
            "Traceback (most recent call last):\n  File x\nValueError: bad rope\n\nDuring handling:\n\n"
            "Traceback (most recent call last):\nRuntimeError: Engine core initialization failed. See root cause.",
            "bad rope",
        ),
        (
            "ERROR Worker proc VllmWorker-1 died unexpectedly (exit code: -11), shutting down executor.\n"
            "Traceback (most recent call last):\n  File x\nRuntimeError: cancelled\n",
            "Worker proc VllmWorker-1 died unexpectedly (exit code: -11)",
        ),
    ],
)
def test_root_cause(log, cause):
    assert root_cause(log) == cause


@pytest.mark.parametrize(
    ("said", "log", "why"),
    [
        ("no such dtype", "INFO fine\n", "no such dtype"),
        ("RuntimeError: Engine core initialization failed. See root cause above.", "INFO fine\n", KILLED),
        ("EngineCore encountered an issue. See stack trace (above) for the root cause.", "", KILLED),
        ("EngineCore encountered an issue.", "Traceback (most recent call last):\nOSError: disk\n", "OSError: disk"),
    ],
)
def test_why_dead(said: str, log: str, why: str) -> None:
    assert why_dead(said, log) == why
