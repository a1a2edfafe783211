"""The seccomp filter: which system calls a confined program may make. Linux on x86-64 and aarch64.

An allow list: what is not named fails with EPERM, as does whatever a future kernel adds (ENOSYS there, so that the C
library falls back). Some calls are looked at more closely: by `_SPECIAL`. Calls of another architecture (the 32-bit
entry of x86, x32) end the process. Programs of this kind are classic BPF: linux/filter.h, linux/seccomp.h.
"""

from __future__ import annotations

import errno
import platform
import struct

__all__ = ["PID_MARK", "build", "for_process"]

PID_MARK = 0x5EC0DEAD
"""Stands in a built filter for the process id that it will be installed in."""

_ARCHES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1), "arm64": (0xC00000B7, 1)}
"""machine -> (AUDIT_ARCH of linux/audit.h, column in the table)"""

# name, number on x86-64, number on aarch64 ("-": no such call): asm/unistd_64.h and asm-generic/unistd.h.
# Left out on purpose, though harmless-looking: chmod, utime, link, symlink, truncate by path (landlock does not cover
# metadata, and older landlocks no truncation), memfd_create (memory outside of the address-space limit), setsockopt
# (socket filters), sendmsg (files in flight, which nobody sees), timer_create (a timer that sends SIGKILL), inotify,
# sched_setaffinity, and everything about other processes.
_ALLOWED = """
read 0 63; write 1 64; readv 19 65; writev 20 66; pread64 17 67; pwrite64 18 68; preadv 295 69; pwritev 296 70;
preadv2 327 286; pwritev2 328 287; open 2 -; openat 257 56; openat2 437 437; close 3 57; close_range 436 436;
fstat 5 80; stat 4 -; lstat 6 -; newfstatat 262 79; statx 332 291; lseek 8 62; poll 7 -; ppoll 271 73; select 23 -;
pselect6 270 72; mmap 9 222; munmap 11 215; mprotect 10 226; mremap 25 216; madvise 28 233; msync 26 227;
mincore 27 232; brk 12 214; rt_sigaction 13 134; rt_sigprocmask 14 135; rt_sigreturn 15 139; rt_sigpending 127 136;
rt_sigsuspend 130 133; rt_sigtimedwait 128 137; sigaltstack 131 132; access 21 -; faccessat 269 48;
faccessat2 439 439; pipe 22 -; pipe2 293 59; sched_yield 24 124; dup 32 23; dup2 33 -; dup3 292 24; pause 34 -;
nanosleep 35 101; clock_nanosleep 230 115; getitimer 36 102; setitimer 38 103; alarm 37 -; getpid 39 172;
gettid 186 178; getppid 110 173; getpgrp 111 -; getpgid 121 155; getsid 124 156; getuid 102 174; geteuid 107 175;
getgid 104 176; getegid 108 177; getgroups 115 158; getresuid 118 148; getresgid 120 150; exit 60 93;
exit_group 231 94; wait4 61 260; waitid 247 95; uname 63 160; flock 73 32; fsync 74 82; fdatasync 75 83;
ftruncate 77 46; getdents 78 -; getdents64 217 61; getcwd 79 17; chdir 80 49; fchdir 81 50; rename 82 -;
renameat 264 38; renameat2 316 276; mkdir 83 -; mkdirat 258 34; rmdir 84 -; unlink 87 -; unlinkat 263 35;
readlink 89 -; readlinkat 267 78; umask 95 166; gettimeofday 96 169; getrlimit 97 163; getrusage 98 165;
sysinfo 99 179; times 100 153; statfs 137 43; fstatfs 138 44; arch_prctl 158 -; time 201 -; futex 202 98;
futex_waitv 449 449; sched_getaffinity 204 123; sched_getparam 143 121; sched_getscheduler 145 120;
sched_get_priority_max 146 125; sched_get_priority_min 147 126; getpriority 140 141; epoll_create 213 -;
epoll_create1 291 20; epoll_ctl 233 21; epoll_wait 232 -; epoll_pwait 281 22; epoll_pwait2 441 441; eventfd 284 -;
eventfd2 290 19; timerfd_create 283 85; timerfd_settime 286 86; timerfd_gettime 287 87; clock_gettime 228 113;
clock_getres 229 114; set_tid_address 218 96; set_robust_list 273 99; rseq 334 293; getrandom 318 278; getcpu 309 168;
membarrier 324 283; restart_syscall 219 128; sendto 44 206; recvfrom 45 207; recvmsg 47 212; shutdown 48 210;
getsockopt 55 209; getsockname 51 204; getpeername 52 205; sendfile 40 71; splice 275 76; tee 276 77;
copy_file_range 326 285; fadvise64 221 223; readahead 187 213; fallocate 285 47;
"""
_SPECIAL_NUMBERS = """
ioctl 16 29; fcntl 72 25; prctl 157 167; prlimit64 302 261; setrlimit 160 164; kill 62 129; tgkill 234 131;
clone 56 220; clone3 435 435; socketpair 53 199
"""

_LOAD, _JEQ, _JGE, _JSET, _AND, _RET, _JA = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06, 0x05
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NEW_CALLS = 424
"""System calls from here on came with Linux 5.1 and later, under one number everywhere."""

_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032)
"""Duplicating, flags, locks, pipe size. Not F_SETOWN, F_SETSIG, F_NOTIFY, F_SETLEASE: they make the kernel signal."""
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Is it a terminal, its size, bytes to read, non-blocking, close on exec."""
_PRCTL = (2, 3, 15, 16, 0x53564D41)
"""Reading the death signal and dumpability; thread names; naming of memory by the C library."""
_STACK, _CPU = 3, 0
_THREAD, _NAMESPACES = 0x00010000, 0x7E020000 | 0x80

Step = tuple[int, int, int, int]
"""code, jump if true, jump if false, operand"""


def _fail(number: int) -> Step:
    return (_RET, 0, 0, _ERRNO | number)


_PASS: Step = (_RET, 0, 0, _ALLOW)


def _argument(index: int) -> Step:
    return (_LOAD, 0, 0, 16 + 8 * index)  # the low half; the kernel takes these arguments as 32 bits


def _one_of(index: int, values: tuple[int, ...], otherwise: int) -> list[Step]:
    count = len(values)
    checks = [(_JEQ, count - place, 0, value) for place, value in enumerate(values)]
    return [_argument(index), *checks, _fail(otherwise), _PASS]


def _signal(index: int) -> list[Step]:
    """Signals to itself. Not SIGKILL (9): it always comes from outside, and then says nothing about the program."""
    return [
        _argument(0),
        (_JEQ, 1, 0, PID_MARK),
        _fail(errno.EPERM),
        _argument(index),
        (_JEQ, 1, 0, 9),
        _PASS,
        _fail(errno.EPERM),
    ]


# Raising RLIMIT_STACK is common at the top of contest programs, and the stack is generous already: it "succeeds"
# without a change. RLIMIT_CPU stays: at its end the kernel sends SIGKILL. Other limits may be lowered; raising them is
# refused by the kernel.
_LIMIT_SET: list[Step] = [(_JEQ, 0, 1, _STACK), _fail(0), (_JEQ, 0, 1, _CPU), _fail(errno.EPERM), _PASS]
_SPECIAL: dict[str, list[Step]] = {
    "fcntl": _one_of(1, _FCNTL, errno.EINVAL),
    "ioctl": _one_of(1, _IOCTL, errno.ENOTTY),
    "prctl": _one_of(0, _PRCTL, errno.EPERM),
    "kill": _signal(1),
    "tgkill": _signal(2),
    "clone": [_argument(0), (_JSET, 1, 0, _NAMESPACES), (_JSET, 1, 0, _THREAD), _fail(errno.EPERM), _PASS],
    "clone3": [_fail(errno.ENOSYS)],  # its flags are in memory; the C library falls back to clone
    "socketpair": [
        _argument(0),
        (_JEQ, 0, 3, 1),  # AF_UNIX
        _argument(1),
        (_AND, 0, 0, 0xF),
        (_JEQ, 1, 0, 1),  # SOCK_STREAM: a datagram socket could send to any name
        _fail(errno.EPERM),
        _PASS,
    ],
    "setrlimit": [_argument(0), *_LIMIT_SET],
    "prlimit64": [
        _argument(0),
        (_JEQ, 2, 0, 0),
        (_JEQ, 1, 0, PID_MARK),
        _fail(errno.EPERM),
        _argument(2),
        (_JEQ, 0, 2, 0),
        (_LOAD, 0, 0, 16 + 8 * 2 + 4),
        (_JEQ, 5, 0, 0),  # only asks
        _argument(1),
        *_LIMIT_SET,
    ],
}


def build(machine: str | None = None) -> bytes | None:
    """The filter as bytes (`struct sock_filter` each), with `PID_MARK` for the process id.

    None: there is no table for `machine`.
    """
    arch, column = _ARCHES.get(machine or platform.machine(), (0, -1))
    if column < 0:
        return None
    steps: list[Step] = [(_LOAD, 0, 0, 4), (_JEQ, 1, 0, arch), (_RET, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    if column == 0:
        steps += [(_JGE, 0, 1, 0x40000000), (_RET, 0, 0, _KILL)]
    for name, number in _numbers(_SPECIAL_NUMBERS, column).items():
        block = _SPECIAL[name]
        steps += [(_JEQ, 0, len(block), number), *block]
    steps += _tree(_boundaries(sorted(_numbers(_ALLOWED, column).values())))
    return b"".join(struct.pack("<HBBI", *step) for step in steps)


def for_process(program: bytes, pid: int) -> bytes:
    """The filter for the process `pid`, which may signal itself alone."""
    return program.replace(struct.pack("<I", PID_MARK), struct.pack("<I", pid))


def _numbers(table: str, column: int) -> dict[str, int]:
    rows = (row.split() for row in table.replace("\n", " ").split(";") if row.strip())
    return {row[0]: int(row[1 + column]) for row in rows if row[1 + column] != "-"}


def _boundaries(numbers: list[int]) -> list[tuple[int, Step]]:
    """Where along the line of all numbers the answer changes: (from this number on, this answer)."""
    answers: list[tuple[int, Step]] = []
    known = set(numbers)
    for number in range(_NEW_CALLS + 200):
        refused = _fail(errno.ENOSYS if number >= _NEW_CALLS else errno.EPERM)
        answer = _PASS if number in known else refused
        if not answers or answers[-1][1] != answer:
            answers.append((number, answer))
    return answers


def _tree(answers: list[tuple[int, Step]]) -> list[Step]:
    """A binary search over the boundaries: some eight comparisons for any number."""
    if len(answers) == 1:
        return [answers[0][1]]
    middle = len(answers) // 2
    low, high = _tree(answers[:middle]), _tree(answers[middle:])
    if len(low) <= 255:
        return [(_JGE, len(low), 0, answers[middle][0]), *low, *high]
    return [(_JGE, 0, 1, answers[middle][0]), (_JA, 0, 0, len(low)), *low, *high]
