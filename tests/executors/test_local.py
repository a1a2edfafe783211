import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from skythought.executors import worker
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
            assert outcome.status == "timed_out"
            assert time.monotonic() - started < 5
            assert (await executor.call(abs, -3, timeout_s=30)).value == 3

    wait(main())


def test_a_worker_that_dies_is_told_from_one_that_raises(wait):
    async def main():
        async with LocalExecutor(workers=1) as executor:
            died = await executor.call(os._exit, 3, timeout_s=30)
            raised = await executor.call(divmod, 1, 0, timeout_s=30)
            fine = await executor.call(abs, -1, timeout_s=30)
        assert died.status == "died"
        assert raised.status == "raised"
        assert "ZeroDivisionError" in raised.why
        assert fine.value == 1

    wait(main())


def test_memory_is_limited(wait):
    async def main():
        async with LocalExecutor(workers=1, memory_bytes=1 << 30) as executor:
            before = await executor.call(os.getpid, timeout_s=30)
            outcome = await executor.call(bytes, 4 << 30, timeout_s=30)
            after = await executor.call(os.getpid, timeout_s=30)
        assert outcome.status == "exhausted"
        assert before.value != after.value, "what ran out of memory is not used again"

    wait(main())


def test_what_a_call_prints_does_not_reach_the_results(wait):
    async def main():
        async with LocalExecutor(workers=1) as executor:
            assert (await executor.call(print, "noise", timeout_s=30)).status == "done"
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


def test_a_fork_server_whose_parent_ended_before_its_answer_ends_silently():
    here, there = socket.socketpair()
    function = pickle.dumps((abs, (1,)))
    here.sendall(b"P" + len(function).to_bytes(8, "big") + function)
    here.close()
    with there:
        done = subprocess.run(
            [sys.executable, "-m", "skythought.executors.forkserver", str(there.fileno())],
            pass_fds=[there.fileno()],
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell of threads")
def test_a_call_waits_for_no_thread(wait):
    """On a busy machine a thread that was just started may wait for a core for seconds, on the call's clock."""

    async def main():
        async with LocalExecutor(workers=1) as executor:
            for _ in range(3):
                outcome = await executor.call(os.listdir, "/proc/self/task", timeout_s=30)
                assert len(outcome.value) == 1

    wait(main())


def test_the_clock_starts_when_the_worker_is_ready(wait):
    """Preparing takes longer than the call may: a slow disk must not turn right answers into wrong ones."""

    async def main():
        async with LocalExecutor(workers=1) as executor:
            return await executor.call(abs, -5, timeout_s=0.5, prepare=(time.sleep, (0.8,)))

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


def test_each_item_has_its_own_deadline_and_costs_no_other(wait):
    async def main():
        async with LocalExecutor(workers=1) as executor:
            items = [(2, 3), (7, HUGE), (2, 4), (0, -1), (2, 5)]
            return await executor.call_each(pow, items, timeout_s=0.5)

    outcomes = wait(main())
    assert [outcome.status for outcome in outcomes] == ["done", "timed_out", "done", "raised", "done"]
    assert [outcome.value for outcome in outcomes] == [8, None, 16, None, 32]


def test_what_all_need_is_prepared_once_and_a_new_worker_has_it(wait, tmp_path):
    counter = tmp_path / "prepared"

    async def main():
        prepare = (_note, (str(counter),))
        async with LocalExecutor(workers=2) as executor:
            await asyncio.gather(*(executor.call(abs, n, timeout_s=30, prepare=prepare) for n in range(8)))
            await executor.call(os._exit, 1, timeout_s=30, prepare=prepare)
            return [(await executor.call(_noted, timeout_s=30, prepare=prepare)).value for _ in range(3)]

    assert wait(main()) == [1, 1, 1]
    assert counter.read_text() == "x"


_NOTES = []


def _note(path):
    if not _NOTES:
        with open(path, "a", encoding="utf-8") as file:
            file.write("x")
        _NOTES.append(path)


def _noted():
    return len(_NOTES)


def _start_thread(path):
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()


def test_a_preparation_that_leaves_threads_behind_is_never_forked(wait, tmp_path):
    prepared = tmp_path / "prepared"

    async def main():
        prepare = (_start_thread, (str(prepared),))
        async with LocalExecutor(workers=2) as executor:
            calls = (executor.call(os.getppid, timeout_s=30, prepare=prepare) for _ in range(4))
            return await asyncio.gather(*calls)

    servers = {outcome.value for outcome in wait(main())}
    assert None not in servers
    assert not servers & {int(pid) for pid in prepared.read_text().split()}


def test_a_preparation_that_ends_its_process_fails_the_call_alone(wait):
    async def main():
        async with LocalExecutor(workers=1) as executor:
            died = await executor.call(abs, -1, timeout_s=30, prepare=(os._exit, (3,)))
            fine = await executor.call(abs, -2, timeout_s=30)
            return died.status, fine.value

    assert wait(main()) == ("died", 2)


def test_an_end_in_the_middle_of_a_preparation_is_silent(tmp_path):
    program = """
import asyncio, pathlib, sys
from skythought.executors import worker
from skythought.executors.local import LocalExecutor

async def main():
    begun = pathlib.Path(sys.argv[1])
    async with LocalExecutor(workers=1) as executor:
        prepare = (exec, (f"import time; open({str(begun)!r}, 'w').close(); time.sleep(0.3)",))
        late = asyncio.create_task(executor.call(abs, -2, timeout_s=60, prepare=prepare))
        while not begun.exists():
            await asyncio.sleep(0.01)
        late.cancel()

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "begun"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_outlives_a_parent_that_is_killed(tmp_path):
    """Not even a worker in the middle of an operation that holds the interpreter's lock."""
    program = """
import asyncio, os
from skythought.executors import worker
from skythought.executors.local import LocalExecutor

async def main():
    executor = LocalExecutor(workers=1)
    print((await executor.call(os.getpid, timeout_s=60)).value, flush=True)
    print((await executor.call(os.getppid, timeout_s=60)).value, flush=True)
    await executor.call(pow, 7, 9**9, timeout_s=600)

asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    pids = [int(parent.stdout.readline()) for _ in range(2)]  # the worker and the fork server
    time.sleep(0.1)  # so that it is in the middle of the third call
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 60
    while not all(_ended(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert all(_ended(pid) for pid in pids)


def test_a_fork_server_that_is_killed_takes_its_workers_with_it_and_their_calls_are_tried_again(wait):
    async def main():
        async with LocalExecutor(workers=2) as executor:
            await asyncio.gather(*(executor.call(time.sleep, 0.2, timeout_s=30) for _ in range(2)))  # both are there
            server = (await executor.call(os.getppid, timeout_s=30)).value
            busy = asyncio.create_task(executor.call(time.sleep, 0.5, timeout_s=30))
            await asyncio.sleep(0.1)
            os.kill(server, signal.SIGKILL)
            return await busy, await executor.call(abs, -1, timeout_s=30)

    busy, fine = wait(main())
    assert (busy.status, fine.value) == ("done", 1)


def test_a_call_whose_worker_is_killed_is_tried_again(wait, tmp_path):
    async def main():
        async with LocalExecutor(workers=1) as executor:
            items = [
                (str(tmp_path / "a"), 0),
                (str(tmp_path / "b"), 2),
                (str(tmp_path / "c"), 9),
                (str(tmp_path / "d"), 1),
            ]
            return await executor.call_each(_killed_at_first, items, timeout_s=30)

    outcomes = wait(main())
    assert [outcome.status for outcome in outcomes] == ["done", "done", "died", "done"]
    assert [outcome.value for outcome in outcomes] == [1, 3, None, 2]


def _killed_at_first(path, times):
    """Which try it is; as often as told it is killed first."""
    with open(path, "a", encoding="utf-8") as file:
        file.write("x")
    tries = Path(path).stat().st_size
    if tries <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return tries


def test_idle_workers_that_were_killed_cost_no_call(wait):
    async def main():
        async with LocalExecutor(workers=4) as executor:
            pids = await asyncio.gather(*(executor.call(_slow_pid, timeout_s=30) for _ in range(4)))
            for outcome in pids:
                os.kill(outcome.value, signal.SIGKILL)
            return [(await executor.call(abs, -n, timeout_s=30)).value for n in range(8)]

    assert wait(main()) == list(range(8))


def _slow_pid():
    time.sleep(0.2)
    return os.getpid()


@pytest.mark.skipif(sys.platform != "linux", reason="CPU time of other processes is Linux's to tell")
def test_time_is_cpu_time_and_the_clock_is_far_behind(wait, monkeypatch):
    """A worker that waits, as it does for a core on a loaded machine, has not used up its time."""
    monkeypatch.setattr(worker, "WALL_S", 0.5)

    async def main():
        async with LocalExecutor(workers=1) as executor:
            waited = await executor.call(time.sleep, 0.5, timeout_s=0.1)
            stalled = await executor.call(time.sleep, 600, timeout_s=0.1)
            return waited, stalled, await executor.call(pow, 7, HUGE, timeout_s=0.3)

    waited, stalled, used = wait(main())
    assert (waited.status, stalled.status, used.status) == ("done", "stalled", "timed_out")
    assert "had not ended after 1.5 s" in stalled.why
    assert used.why == "ran over its limit of 0.3 s"


def _ended(pid):
    """Gone, or a zombie that its new parent has not waited for yet."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return _gone(pid)
