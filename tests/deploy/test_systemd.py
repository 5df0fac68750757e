"""The units under a real systemd, booted as PID 1 of a machine of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.machines import booted, copy_root


@pytest.mark.deploy
def test_a_real_systemd_comes_up_twice_side_by_side(
    debian_with_systemd: Path, tmp_path: Path
) -> None:
    roots = [copy_root(debian_with_systemd, tmp_path / name) for name in ("one", "other")]
    with booted(roots[0]) as machine, booted(roots[1]) as other:
        machine.linger("me")
        for one, user in ((machine, None), (machine, "me"), (other, None)):
            scope = ("--user",) if user else ()
            said = one.run("systemctl", *scope, "is-system-running", "--wait", user=user)
            assert said == "running\n"
        assert machine.run("cat", "/proc/1/comm") == "systemd\n"
