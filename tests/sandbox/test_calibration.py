"""Longer limits on a slow machine."""

from __future__ import annotations

import pytest

from skythought.sandbox import Limits, Sandbox, calibration, time_scale
from skythought.sandbox import sandbox as sandbox_module


def test_limits_are_scaled_up_in_steps_and_never_down() -> None:
    reference = calibration.REFERENCE_S
    scales = [calibration.scale_of(share * reference) for share in (0.0, 0.3, 1.0, 1.1, 1.5, 2.1, 7.9, 50.0)]
    assert scales == [1, 1, 1, 1.25, 1.5, 2.25, 8, calibration.LARGEST]


def test_a_machine_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    time_scale.cache_clear()
    first = time_scale()
    monkeypatch.setattr(calibration, "REFERENCE_S", calibration.REFERENCE_S / 1000)
    assert 1 <= first == time_scale() <= calibration.LARGEST


def test_a_machine_that_cannot_be_measured_keeps_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    time_scale.cache_clear()
    monkeypatch.setattr(calibration.sys, "executable", "/no/such/python")
    assert time_scale() == 1
    time_scale.cache_clear()


def test_a_slow_machine_has_longer_limits_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "time_scale", lambda: 3.0)
    limits = Limits(cpu_s=0.21, sample_cpu_s=0.5)
    with Sandbox(limits=limits) as sandbox:
        state = sandbox.layers()
        outcomes = [next(sandbox.run_program(f"{BURN}burn({seconds})", [b""])) for seconds in (0.4, 60)]
        tests = list(sandbox.run_program(f"{BURN}burn(0.55)", [b""] * 3))
    assert (state["time_scale"], state["limits"]["cpu_s"]) == (3.0, 0.21)
    assert [outcome.cause for outcome in outcomes] == ["ok", "time limit"]
    assert outcomes[1].error == "0.63 s of CPU time"
    assert [outcome.cause for outcome in tests] == ["ok", "ok", "time limit"]


BURN = """
import time
def burn(seconds):
    start = time.process_time()
    while time.process_time() - start < seconds: pass
"""
