"""Room for many connections: each takes a file handle."""

from __future__ import annotations

__all__ = ["raise_file_limit"]

BESIDE = 512
"""Handles for all else: journals, workers and their pipes."""


def raise_file_limit(connections: int) -> None:
    """Raise this process's soft limit of open files, as far as the hard limit allows, where it is too low."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + BESIDE
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        return
