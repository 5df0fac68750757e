"""A host in a network namespace of its own, whose way to the database leads through a router that
can fall silent; its way to Kakao does not. As root, by iproute2."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

HOST, ROUTER = f"kakaocron-h{os.getpid()}", f"kakaocron-r{os.getpid()}"
# Of the addresses for tests of networks (RFC 2544): nobody else's.
DATABASE, KAKAO = "198.18.64.1", "198.18.66.1"
NETWORKS = "198.18.64.0/20"
# Each link: its ends' namespaces ("" is where the tests run), names and addresses.
_LINKS = (
    ("", "kcr0", f"{DATABASE}/24", ROUTER, "kcr1", "198.18.64.2/24"),
    (ROUTER, "kcr2", "198.18.65.2/24", HOST, "kch0", "198.18.65.3/24"),
    ("", "kch1", f"{KAKAO}/24", HOST, "kch2", "198.18.66.3/24"),
)
_ROUTES = (
    (HOST, "198.18.64.0/24", "198.18.65.2"),
    ("", "198.18.65.0/24", "198.18.64.2"),
)


def in_host(*command: str) -> list[str]:
    """Return a command as the host runs it."""
    return ["ip", "netns", "exec", HOST, *command]


def fall_silent(*, silent: bool) -> None:
    """Let the router drop what comes, in both directions, or forward it again."""
    forwards = "0" if silent else "1"
    set_to = f"echo {forwards} >/proc/sys/net/ipv4/ip_forward"
    _do("ip", "netns", "exec", ROUTER, "sh", "-c", set_to)


@contextmanager
def network() -> Iterator[None]:
    """Make the namespaces for a block; skips the test where that is not allowed."""
    if os.getuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces are made by root, with ip (Debian: iproute2)")
    try:
        for name in (HOST, ROUTER):
            made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
            if made.returncode != 0:
                pytest.skip(f"no network namespace can be made: {made.stderr.decode().strip()}")
            _ip(name, "link", "set", "lo", "up")
        for one, one_name, one_at, other, other_name, other_at in _LINKS:
            peer = ("peer", "name", other_name, "netns", other)
            _ip(one, "link", "add", one_name, "type", "veth", *peer)
            for where, name, at in ((one, one_name, one_at), (other, other_name, other_at)):
                _ip(where, "address", "add", at, "dev", name)
                _ip(where, "link", "set", name, "up")
        for where, to, via in _ROUTES:
            _ip(where, "route", "add", to, "via", via)
        fall_silent(silent=False)
        yield
    finally:
        # The links first: a namespace is gone at once, and what was in it some time later.
        for one, one_name, *_ in _LINKS:
            inside = ["-n", one] if one else []
            delete = ["ip", *inside, "link", "delete", one_name]
            subprocess.run(delete, capture_output=True, check=False)
        for name in (HOST, ROUTER):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def _ip(where: str, *words: str) -> None:
    _do("ip", *(("-n", where) if where else ()), *words)


def _do(*command: str) -> None:
    done: subprocess.CompletedProcess[bytes] = subprocess.run(
        command, capture_output=True, check=False
    )
    assert done.returncode == 0, (command, done.stderr)


__all__: Sequence[str] = ("DATABASE", "KAKAO", "NETWORKS", "fall_silent", "in_host", "network")
