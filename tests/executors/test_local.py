import asyncio
import os
import signal
import time

from skythought.executors.local import LocalExecutor

HUGE = 9**9


def test_calls_run_in_other_processes_and_bring_values_back(wait):
    async def main():
        async with LocalExecutor(workers=2) as executor:
            outcomes = await asyncio.gather(*(executor.call(pow, n, 2, timeout_s=30) for n in range(20)))
            pid = await executor.call(os.getpid, timeout_s=30)
        assert [outcome.value for outcome in outcomes] == [n * n for n in range(20)]
        assert pid.value != os.getpid()

    wait(main())


def test_a_call_that_overruns_is_killed_and_costs_nobody_else(wait):
    """The multiplication is one operation in C: it holds the interpreter's lock and hears no signal handler."""

    async def main():
        async with LocalExecutor(workers=1) as executor:
            await executor.call(abs, 1, timeout_s=30)
            started = time.monotonic()
            outcome = await executor.call(pow, 7, HUGE, timeout_s=0.5)
            assert outcome.fate == "overran"
            assert time.monotonic() - started < 5
            assert (await executor.call(abs, -3, timeout_s=30)).value == 3

    wait(main())


def test_a_worker_that_dies_is_told_from_one_that_raises(wait):
    async def main():
        async with LocalExecutor(workers=1) as executor:
            died = await executor.call(os._exit, 3, timeout_s=30)
            raised = await executor.call(divmod, 1, 0, timeout_s=30)
            fine = await executor.call(abs, -1, timeout_s=30)
        assert died.fate == "died"
        assert raised.fate == "raised"
        assert "ZeroDivisionError" in raised.why
        assert fine.value == 1

    wait(main())


def test_memory_is_limited(wait):
    async def main():
        async with LocalExecutor(workers=1, memory_bytes=1 << 30) as executor:
            outcome = await executor.call(bytes, 4 << 30, timeout_s=30)
        assert outcome.fate == "exhausted"

    wait(main())


def test_what_a_call_prints_does_not_reach_the_results(wait):
    async def main():
        async with LocalExecutor(workers=1) as executor:
            assert (await executor.call(print, "noise", timeout_s=30)).fate == "done"
            assert (await executor.call(abs, -2, timeout_s=30)).value == 2

    wait(main())


def test_leaving_ends_every_worker_even_a_busy_one(wait):
    async def main():
        async with LocalExecutor(workers=1) as executor:
            pid = (await executor.call(os.getpid, timeout_s=30)).value
            busy = asyncio.create_task(executor.call(time.sleep, 600, timeout_s=700))
            await asyncio.sleep(0)
            busy.cancel()
            await asyncio.gather(busy, return_exceptions=True)
        return pid

    pid = wait(main())
    assert _gone(pid)


def _gone(pid):
    try:
        os.kill(pid, signal.SIG_DFL)
    except ProcessLookupError:
        return True
    return False


def test_the_clock_starts_when_the_worker_is_ready(wait):
    """Preparing takes longer than the call may: a slow disk must not turn right answers into wrong ones."""

    async def main():
        async with LocalExecutor(workers=1) as executor:
            return await executor.call(abs, -5, timeout_s=0.5, prepare=(time.sleep, (1.0,)))

    assert wait(main()).value == 5


def test_files_in_the_working_folder_do_not_stand_in_for_modules(wait, tmp_path, monkeypatch):
    (tmp_path / "fractions.py").write_text("raise SystemExit(1)", encoding="utf-8")
    (tmp_path / "skythought").mkdir()
    (tmp_path / "skythought" / "__init__.py").write_text("raise SystemExit(1)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    async def main():
        async with LocalExecutor(workers=1) as executor:
            return await executor.call(abs, -5, timeout_s=30)

    assert wait(main()).value == 5
