"""Hostile programs: none passes, harms anything, outlives its time, or leaves anything behind; with and without
namespaces, since containers and clusters often forbid them."""

from __future__ import annotations

import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from arena import LIMITS, Arena, arena, descendants

from skythought.sandbox import Limits, Sandbox
from skythought.sandbox.libraries import PACKAGES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")

KINDS = ("stdin", "call", "he")
# A function `f(x)`, called at the top as well, so that each of them is a program, a function and a candidate. `breach`
# leaves a mark where only a program that is not held can.
HEAD = """
import ctypes, os, resource, signal, socket, struct, sys, threading, time
def breach(what):
    try:
        os.close(os.open("@CANARY@/mark-" + what, os.O_CREAT | os.O_WRONLY))
    except OSError:
        pass
    sys.stdout.write("BREACH " + what)
def tries(what, action):
    try:
        if action() is not False:
            breach(what)
    except (OSError, ValueError, AttributeError):
        pass
libc = ctypes.CDLL(None, use_errno=True)
"""
PROGRAMS = {
    "equal to everything": """
class E:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __hash__(self): return 1
    def __getattr__(self, name): return E()
    def __call__(self, *a, **k): return E()
def f(x): return E()
""",
    "a string equal to everything": """
class S(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
def f(x): return S("zq7f")
""",
    "exit status 0": "os._exit(0)",
    "exit in the call": "def f(x): os._exit(0)",
    "sys.exit in the call": "def f(x): sys.exit(0)",
    "markers": """
for stream in (sys.stdout, sys.stderr):
    print("passed", "PASSED", "ok", "[True]", '{"passed": true}', file=stream)
def f(x): return "passed"
""",
    "frames and heap": """
import gc
def f(x):
    found = []
    frame = sys._getframe()
    while frame:
        found += [str(v) for v in {**frame.f_globals, **frame.f_locals}.values()]
        frame = frame.f_back
    found += [o for o in gc.get_objects() if isinstance(o, str)]
    for text in found:
        if "zq7f-" in text and "-" + str(x) in text: return text[text.index("zq7f-"):][:15]
print(f(0))
""",
    "memory of the parent": """
def f(x):
    for pid in (os.getppid(), 1, *range(os.getpid() - 5, os.getpid())):
        if pid != os.getpid():
            tries("mem", lambda: open("/proc/%d/mem" % pid, "rb"))
            tries("environ", lambda: open("/proc/%d/environ" % pid, "rb").read(1) or False)
            tries("ptrace", lambda: libc.ptrace(16, pid, 0, 0) == 0)
            buffer = ctypes.create_string_buffer(8)
            local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
            tries("vm", lambda: libc.process_vm_readv(pid, local, 1, local, 1, 0) >= 0)
f(0)
""",
    "signals": """
def f(x):
    for pid in (os.getppid(), 1, -1, -os.getpgid(os.getppid()) if os.getppid() else -1):
        for number in (signal.SIGSTOP, signal.SIGKILL):
            tries("kill", lambda: os.kill(pid, number))
            tries("queue", lambda: libc.sigqueue(pid, number, 0) == 0)
f(0)
""",
    "signals by a descriptor's owner": """
import fcntl
def f(x):
    a, b = socket.socketpair()
    for fd in (a.fileno(), 0, 1, 3, 4):
        tries("setown", lambda: fcntl.fcntl(fd, fcntl.F_SETOWN, os.getppid()))
        tries("setsig", lambda: fcntl.fcntl(fd, 10, signal.SIGKILL))
        tries("fiosetown", lambda: fcntl.ioctl(fd, 0x8901, struct.pack("i", os.getppid())))
f(0)
""",
    "SIGKILL to itself": """
def f(x):
    for pid in (os.getpid(), threading.get_native_id()):
        tries("kill", lambda: os.kill(pid, signal.SIGKILL))
        tries("tgkill", lambda: libc.tgkill(os.getpid(), pid, signal.SIGKILL) == 0)
    tries("cpu", lambda: resource.setrlimit(resource.RLIMIT_CPU, (0, 0)))
    event = struct.pack("QiiI", 0, signal.SIGKILL, 0, 0) + bytes(48)
    number = {"x86_64": 222, "aarch64": 107}[os.uname().machine]
    tries("timer", lambda: libc.syscall(number, 0, event, ctypes.byref(ctypes.c_int())) == 0)
f(0)
""",
    "limits of its parent": """
def f(x):
    for pid in (os.getppid(), 1):
        for which in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE):
            tries("prlimit", lambda: resource.prlimit(pid, which, (0, 0)))
f(0)
""",
    "handlers of all signals, exceptions caught": """
for n in range(1, 65):
    try: signal.signal(n, lambda *a: None)
    except (OSError, ValueError): pass
def f(x):
    while True:
        try:
            while True: pass
        except BaseException: pass
f(0)
""",
    "no descriptors left": """
held = []
def f(x):
    try:
        while True: held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError: pass
f(0)
""",
    "closes all descriptors": """
def f(x):
    for fd in range(3, 64):
        try: os.close(fd)
        except OSError: pass
    while True: pass
f(0)
""",
    "no modes on its folder": """
def f(x):
    fd = os.open(".", os.O_RDONLY)
    for action in (lambda: os.fchmod(fd, 0), lambda: os.chmod(".", 0), lambda: libc.syscall(452, -100, b".", 0, 0)):
        try: action()
        except OSError: pass
f(0)
""",
    "reports of no time": """
ok = struct.pack("<cddQ", b"+", float("nan"), float("-inf"), 2**63 - 1)
def f(x):
    for fd in range(3, 16):
        try: os.set_blocking(fd, False); os.write(fd, (struct.pack("<H", len(ok)) + ok) * 30)
        except OSError: pass
    time.sleep(0.1)
f(0)
""",
    "daemons": """
def f(x):
    for _ in range(4):
        try:
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    libc.prctl(1, 0, 0, 0, 0)
                    time.sleep(0.5); breach("late"); time.sleep(100)
                os._exit(0)
        except OSError: pass
f(0)
""",
    "files in flight": """
def f(x):
    a, b = socket.socketpair()
    tries("flight", lambda: socket.send_fds(a, [b"x"], [0]) > 0)
f(0)
""",
    "stops itself": "def f(x): os.kill(os.getpid(), signal.SIGSTOP)\nf(0)",
    "blocks all signals": """
signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
for n in range(1, 32):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: pass
""",
    "processes": """
def f(x):
    tries("fork", os.fork)
    tries("vfork", lambda: libc.syscall(58) >= 0)
    tries("clone3", lambda: libc.syscall(435, 0, 0) >= 0)
    tries("spawn", lambda: os.posix_spawn("/bin/true", ["true"], {}))
    tries("exec", lambda: os.execv(sys.executable, ["python", "-c", "pass"]))
    import subprocess
    tries("shell", lambda: subprocess.run("true", shell=True))
f(0)
""",
    "threads without end": """
def f(x):
    try:
        threading.stack_size(32768)
        for _ in range(5000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError: return None
    breach("5000 threads")
f(0)
""",
    "a daemon thread goes on printing": """
def spam():
    while True: print("zq7f"); time.sleep(0.001)
threading.Thread(target=spam, daemon=True).start()
def f(x): return None
""",
    "more limits": """
def f(x):
    for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"):
        which = getattr(resource, name)
        tries(name, lambda: resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))
        tries(name, lambda: resource.prlimit(os.getppid(), which, (0, 0)))
f(0)
""",
    "memory outside of the address space": """
def f(x):
    tries("memfd", lambda: os.memfd_create("x"))
    tries("shmget", lambda: libc.shmget(0, 1 << 30, 0o1600) >= 0)
    tries("shm_open", lambda: os.open("/dev/shm/x", os.O_CREAT | os.O_RDWR))
    tries("mq_open", lambda: libc.syscall(240, b"x", 66, 0o600, 0) >= 0)
f(0)
""",
    "sockets": """
def f(x):
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, 16, 17):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
            tries("socket", lambda: socket.socket(family, kind))
    tries("connect", lambda: socket.create_connection(("127.0.0.1", @PORT@), 1))
    tries("datagrams", lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
    a, b = socket.socketpair()
    tries("bind", lambda: a.bind(chr(0) + "abstract"))
f(0)
""",
    "kernel doors": """
def f(x):
    calls = {"io_uring": 425, "bpf": 321, "userfaultfd": 323, "perf": 298, "keyctl": 250, "add_key": 248, "mount": 165,
             "unshare": 272, "setns": 308, "pivot": 155, "chroot": 161, "personality": 135, "seccomp": 317,
             "pidfd_open": 434, "landlock": 444, "open_tree": 428, "fsopen": 430, "kexec": 246, "ptrace": 101}
    for name, number in calls.items():
        argument = {"unshare": 0x10000000, "pidfd_open": os.getppid(), "personality": 0x0400000}.get(name, 0)
        tries(name, lambda: libc.syscall(number, argument, 0, 0, 0, 0) >= 0)
    for option in (1, 4, 36):
        tries("prctl", lambda: libc.prctl(option, 1, 0, 0, 0) == 0)
if os.uname().machine == "x86_64": f(0)
""",
    "32-bit calls": """
import mmap
def f(x):
    code = bytes.fromhex("53b867010000bb02000000b90100000031d2cd805bc3")
    m = mmap.mmap(-1, 4096, prot=7); m.write(code)
    if ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))() >= 0: breach("int80")
if os.uname().machine == "x86_64": f(0)
""",
    "files": """
def f(x):
    path = "@CANARY@/precious.txt"
    tries("read", lambda: open(path).read())
    tries("write", lambda: open(path, "w"))
    tries("truncate", lambda: os.truncate(path, 0))
    tries("remove", lambda: os.remove(path))
    tries("rename", lambda: os.rename(path, path + "2"))
    tries("chmod", lambda: os.chmod(path, 0))
    tries("utime", lambda: os.utime(path, (0, 0)))
    tries("link", lambda: os.link(path, "mine"))
    tries("passwd", lambda: open("/etc/passwd"))
    tries("dir", lambda: os.listdir("@CANARY@"))
    tries("chroot", lambda: os.chroot("."))
    tries("secret", lambda: os.environ.get("CANARY_API_KEY") or False)
f(0)
""",
    "tricks in the temporary folder": """
def f(x):
    tries("symlink", lambda: os.symlink("@CANARY@/precious.txt", "link") or open("link").read())
    tries("fifo", lambda: os.mkfifo("pipe"))
    tries("node", lambda: os.mknod("node"))
    tries("unix socket", lambda: socket.socket(socket.AF_UNIX).bind("sock"))
    here = os.getcwd()
    for _ in range(2100):  # the path is longer than PATH_MAX then
        try: os.mkdir("d"); os.chdir("d")
        except OSError: break
    os.chdir(here)
    for name in ("a", "b"): os.mkdir(name, 0)
if __name__ == "__main__": f(0)
""",
    "a full disk": """
def f(x):
    held = []
    for n in range(100):
        try:
            fd = os.open("fill%d" % n, os.O_CREAT | os.O_WRONLY); held.append(fd)
            for _ in range(64): os.write(fd, b"z" * (1 << 20))
        except OSError: pass
    size = sum(os.fstat(fd).st_size for fd in held)
    if size > 400 << 20: breach("disk %d" % (size >> 20))
f(0)
""",
    "junk to every descriptor": """
def f(x):
    for fd in range(3, 64):
        try:
            os.set_blocking(fd, False)
            for _ in range(200): os.write(fd, b"\\xff" * 60000)
        except OSError: pass
f(0)
""",
    "a report of its own": """
def frame(body): return struct.pack("<H", len(body)) + body
texts = b"s" + struct.pack("<I", 2) + b"ok" + b"s" + struct.pack("<I", 0)
ok = b"t" + struct.pack("<I", 6) + texts + b"NT" + 2 * (b"f" + bytes(8))
def f(x):
    for fd in range(3, 16):
        try: os.set_blocking(fd, False); os.write(fd, frame(ok) * 16)
        except OSError: pass
    time.sleep(0.1)
f(0)
""",
    "says that the sandbox is broken": """
for fd in range(3, 16):
    try: os.write(fd, b"bOSError: not my fault")
    except OSError: pass
os._exit(3)
""",
    "takes the coming inputs": """
for fd in range(3, 16):
    try: print(socket.socket(fileno=fd).recv(100, socket.MSG_DONTWAIT))
    except OSError: pass
def f(x): return None
""",
    "patched beside it": """
import json, builtins
for module in [m for n, m in list(sys.modules.items()) if "codec" in n or "runner" in n or "check_rpc" in n]:
    module.encode = lambda *a, **k: b"T"
for step in range(1, 9):
    try: frame = sys._getframe(step)
    except ValueError: break
    for name, value in list(frame.f_globals.items()):
        if name in ("describe", "execute", "_left_nothing"): frame.f_globals[name] = lambda *a, **k: ("ok", "", None)
def f(x): return None
""",
    "an object made beside the tests": """
import struct
def sized(b): return struct.pack("<I", len(b)) + b
def text(t): return b"s" + sized(t.encode())
def tup(*parts): return b"t" + struct.pack("<I", len(parts)) + b"".join(parts)
def ls(*parts): return b"l" + struct.pack("<I", len(parts)) + b"".join(parts)
def name(n): return b"h" + sized(n)
def ask(s, subject, arguments):
    body = tup(text("call"), name(subject), arguments, b"d" + bytes(4))
    s.sendall(struct.pack("<I", len(body)) + body)
    answer = s.recv(1000)
    return b"y" + answer[answer.rindex(b"r") + 1:].partition(b":")[0]
def f(x):
    if isinstance(x, str): return True  # asked by the object whether it equals the answer
    for fd in range(3, 40):
        try: s = socket.socket(fileno=os.dup(fd))
        except OSError: continue
        try:
            s.settimeout(0.2)
            members = b"d" + struct.pack("<I", 1) + text("__eq__") + name(b"r1:f")
            made = ask(s, b"btype", ls(text("E"), tup(name(b"bobject")), members))
            body = tup(text("return"), name(ask(s, made, ls())))
            s.sendall(struct.pack("<I", len(body)) + body)
        except (OSError, ValueError): pass
        s.settimeout(None)
    return True
""",
    "deep and round values": """
def f(x):
    a = []
    for _ in range(100000): a = [a]
    return [a, x]
""",
    "a value that grows": """
def f(x):
    a = ["x" * 1000]
    for _ in range(40): a = [a, a]
    return a
""",
    "a huge integer": "def f(x): return 7 ** 30_000_000",
    "a printer": "def f(x):\n    while True: print('x' * 100000)\nf(0)",
    "deep recursion in C": """
sys.setrecursionlimit(10**9)
def f(x):
    a = []
    for _ in range(10**6): a = [a]
    return repr(a)
f(0)
""",
}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path) as place:
        yield place


@pytest.mark.parametrize("name", PROGRAMS)
def test_held_in_every_kind(confined: Sandbox, place: Arena, name: str) -> None:
    source = place.fill(HEAD + PROGRAMS[name])
    before = descendants()
    # What the layers hold is the same in every kind, and so are the kinds without one of the layers.
    kinds = KINDS if "namespaces" in confined.layers()["layers"] else ("call",)
    for kind in kinds:
        started = time.monotonic()
        passed, outcomes = place.passes(confined, kind, source)
        assert not passed, kind
        assert outcomes[-1].cause != "sandbox error", outcomes
        assert not any(b"BREACH" in outcome.stdout for outcome in outcomes), (kind, outcomes)
        assert all(len(outcome.stdout) <= LIMITS.output_bytes and len(outcome.error) < 1100 for outcome in outcomes)
        assert time.monotonic() - started < 60
    assert place.harm() == []
    assert descendants() <= before
    (after,) = confined.run_program("import os; print(input(), os.listdir())", [b"fine"])
    assert after.stdout == b"fine []\n", "the next sample notices nothing"


def test_what_a_test_leaves_behind_does_not_reach_the_next(confined: Sandbox) -> None:
    source = (
        "import builtins, math, os, sys\n"
        "print(getattr(builtins, 'left', 0), math.pi, os.environ.get('LEFT'), len(sys.argv), os.listdir())\n"
        "CHANGE\n"
    )
    changes = (
        "builtins.left = 1",
        "math.pi = 3",
        "os.environ['LEFT'] = '1'",
        "sys.argv.append('x')",
        "open('left', 'w').close()",
    )
    programs = [source.replace("CHANGE", change) for change in changes]
    outcomes = [outcome for program in programs for outcome in confined.run_program(program, [b""] * 4)]
    assert {outcome.stdout for outcome in outcomes} == {b"0 3.141592653589793 None 1 []\n"}


def test_installed_packages_cannot_be_read(confined: Sandbox) -> None:
    folder = Path(sysconfig.get_path("stdlib"), "site-packages")
    file = next((path for path in folder.rglob("*") if path.is_file() and path.parts[-2] not in PACKAGES), None)
    if file is None:
        pytest.skip("the interpreter's own folder of packages is empty")
    (outcome,) = confined.run_program(f"print(open({str(file)!r}, 'rb').read(1))", [b""])
    assert outcome.cause == "exception"
    assert outcome.error.startswith(("PermissionError", "FileNotFoundError"))


def test_limits_are_those_of_the_sample(sandbox: Sandbox) -> None:
    small = Limits(cpu_s=1, memory_bytes=64 << 20, output_bytes=1000)
    (memory,) = sandbox.run_program("x = bytearray(100 << 20)", [b""], limits=small)
    (result,) = sandbox.call_function("def f(): return 'x' * 2000", "f", [[]], limits=small)
    assert (memory.cause, result.cause) == ("memory limit", "output limit")
    stubborn = "import os\ntry:\n    while True: os.write(1, b'x' * 600)\nexcept OSError: pass"
    for source in ("print('x' * 2000)", stubborn):
        (output,) = sandbox.run_program(source, [b""], limits=small)
        assert output.cause == "output limit"
        assert len(output.stdout) <= 1000


def test_no_object_made_beside_the_tests_equals_the_answer(sandbox: Sandbox) -> None:
    source = HEAD + PROGRAMS["an object made beside the tests"]
    (outcome,) = sandbox.check(source, ["assert f(0) == 'answer'"], names=["f"])
    assert outcome.cause == "exception"
