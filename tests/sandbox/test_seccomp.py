"""The filter's decisions, for both architectures, by running its instructions here."""

from __future__ import annotations

import errno
import struct

import pytest

from skythought.sandbox import seccomp

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
PID = 4242
NUMBERS = {
    "x86_64": {"read": 0, "socket": 41, "clone": 56, "fork": 57, "execve": 59, "kill": 62, "fcntl": 72, "chmod": 90}
    | {
        "ptrace": 101,
        "tgkill": 234,
        "sendmsg": 46,
        "setrlimit": 160,
        "prctl": 157,
        "prlimit64": 302,
        "socketpair": 53,
        "memfd_create": 319,
        "openat": 257,
    },
    "aarch64": {"read": 63, "socket": 198, "clone": 220, "execve": 221, "kill": 129, "fcntl": 25, "fchmod": 52}
    | {
        "ptrace": 117,
        "tgkill": 131,
        "sendmsg": 211,
        "setrlimit": 164,
        "prctl": 167,
        "prlimit64": 261,
        "socketpair": 199,
        "memfd_create": 279,
        "openat": 56,
    },
}


def decide(machine: str, number: int, *arguments: int, arch: int | None = None) -> int:
    """What the kernel would do with a call."""
    built = seccomp.build(machine)
    assert built is not None
    program = list(struct.iter_unpack("<HBBI", seccomp.for_process(built, PID)))
    data = struct.pack("<iIQ6Q", number, arch or ARCH[machine], 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    value = at = 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        if code == 0x20:
            (value,) = struct.unpack_from("<I", data, operand)
        elif code == 0x54:
            value &= operand
        elif code == 0x05:
            at += operand
        elif code == 0x06:
            return int(operand)
        else:
            hit = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
            at += if_true if hit else if_false


@pytest.mark.parametrize("machine", NUMBERS)
def test_decisions(machine: str) -> None:
    calls = NUMBERS[machine]
    for name in ("read", "openat"):
        assert decide(machine, calls[name]) == ALLOW
    for name in {"socket", "fork", "execve", "chmod", "fchmod", "ptrace", "memfd_create", "sendmsg"} & calls.keys():
        assert decide(machine, calls[name]) == ERRNO | errno.EPERM, name
    refused = ERRNO | errno.EPERM
    assert decide(machine, calls["clone"], 0x3D0F00) == ALLOW  # a thread
    assert decide(machine, calls["clone"], 0x1200011) == refused  # a process
    assert decide(machine, calls["clone"], 0x3D0F00 | 0x10000000) == refused  # a user namespace
    assert decide(machine, 435) == ERRNO | errno.ENOSYS  # clone3
    assert decide(machine, calls["kill"], PID, 15) == ALLOW
    assert decide(machine, calls["kill"], PID, 9) == refused  # SIGKILL always comes from outside
    assert decide(machine, calls["tgkill"], PID, PID, 6) == ALLOW
    assert decide(machine, calls["tgkill"], PID, PID, 9) == refused
    assert decide(machine, calls["kill"], PID - 1, 9) == refused
    assert decide(machine, calls["kill"], 2**32 - 1, 9) == refused
    assert decide(machine, calls["fcntl"], 1, 8) == ERRNO | errno.EINVAL  # F_SETOWN
    assert decide(machine, calls["fcntl"], 1, 2) == ALLOW
    assert decide(machine, calls["prctl"], 4, 1) == refused  # dumpable
    assert decide(machine, calls["prctl"], 15) == ALLOW  # a name
    assert decide(machine, calls["socketpair"], 1, 1 | 0o2000000) == ALLOW
    assert decide(machine, calls["socketpair"], 1, 2) == refused  # datagrams
    assert [decide(machine, calls["setrlimit"], which) for which in (0, 3, 9)] == [refused, ERRNO, ALLOW]
    assert decide(machine, calls["prlimit64"], 0, 3, 0, 1) == ALLOW  # asks
    assert decide(machine, calls["prlimit64"], 0, 3, 1) == ERRNO  # the stack: says yes, does nothing
    assert decide(machine, calls["prlimit64"], 0, 0, 1) == refused  # CPU time: at its end the kernel sends SIGKILL
    assert decide(machine, calls["prlimit64"], 0, 9, 1) == ALLOW  # the kernel decides
    assert decide(machine, calls["prlimit64"], 1, 9, 1) == refused  # another process


@pytest.mark.parametrize("machine", NUMBERS)
def test_unknown_calls_and_foreign_entries(machine: str) -> None:
    assert decide(machine, 425) == ERRNO | errno.ENOSYS  # io_uring_setup
    assert decide(machine, 5000) == ERRNO | errno.ENOSYS
    assert decide(machine, 0, arch=0x40000003) == KILL  # 32-bit x86
    if machine == "x86_64":
        assert decide(machine, 0x40000000) == KILL  # x32


def test_other_machines_have_no_filter() -> None:
    assert seccomp.build("riscv64") is None
