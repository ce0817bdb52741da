"""A limit of memory for a process and its children: a control group (v2), where this user may make one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


@contextmanager
def memory_group(limit_bytes: int, groups: Path = _GROUPS, mount: Path = _MOUNT) -> Iterator[Path | None]:
    """A group's folder, which is gone at the end; None where none can be had."""
    made = (group for parent in _parents(groups, mount) if (group := _make(parent, limit_bytes)) is not None)
    group = next(made, None)
    try:
        yield group
    finally:
        if group is not None:
            _remove(group)


def inside(group: Path, command: Sequence[str]) -> list[str]:
    """The command that runs `command` in a group, as the same process."""
    return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs"), *command]


def _parents(groups: Path, mount: Path) -> Iterator[Path]:
    """This process's group and those above it that share out memory among their children."""
    with suppress(OSError):
        for line in groups.read_text(encoding="utf-8").splitlines():
            if line.startswith("0::"):
                own = mount / line.removeprefix("0::").lstrip("/")
                yield from (one for one in (own, *own.parents) if one.is_relative_to(mount) and _shares_memory(one))


def _shares_memory(group: Path) -> bool:
    try:
        return "memory" in (group / "cgroup.subtree_control").read_text(encoding="utf-8").split()
    except OSError:
        return False


def _make(parent: Path, limit_bytes: int) -> Path | None:
    """A group below `parent`, or None where it cannot be made or no process can be moved there."""
    group = parent / f"swinlite-{os.getpid()}"
    try:
        group.mkdir()
    except OSError:
        return None
    try:
        (group / "memory.max").write_text(str(limit_bytes), encoding="utf-8")
        subprocess.run(inside(group, ["true"]), check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        _remove(group)
        return None
    return group


def _remove(group: Path) -> None:
    with suppress(OSError):  # a process that was left behind holds it
        group.rmdir()
