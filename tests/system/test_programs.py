"""Other people's programs and files: hanging, endless, failing, absent."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from kakaocron.errors import ContentError
from kakaocron.system.programs import MAX_BYTES, RealOutside


def run(code: str, folder: Path, timeout: float = 10.0, **variables: str) -> bytes:
    return RealOutside(variables).run([sys.executable, "-c", code], folder, timeout)


def test_a_command_has_its_folder_and_none_of_our_secrets(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), sorted(os.environ))"
    variables = {"KAKAO_ACCESS_TOKEN": "geheim", "PATH": "/bin", "HOME": "/h"}
    output = RealOutside(variables).run([sys.executable, "-c", code], tmp_path, 10).decode()
    assert str(tmp_path) in output
    assert "KAKAO" not in output
    assert "'HOME'" in output


def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    assert RealOutside().run(["echo", "$HOME; ls *"], tmp_path, 10) == b"$HOME; ls *\n"


def test_a_hanging_command_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(mark)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    began = time.monotonic()
    with pytest.raises(ContentError, match=r"took longer than 0\.5 s"):
        run(code, tmp_path, 0.5)
    assert time.monotonic() - began < 5
    child = int(mark.read_text())
    for _ in range(100):
        if _is_gone(child):
            return
        time.sleep(0.02)
    raise AssertionError("the child still runs")


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def test_a_child_that_keeps_the_output_open_cannot_hold_us(tmp_path: Path) -> None:
    code = "import subprocess; subprocess.Popen(['sleep', '60']); print('x')"
    with pytest.raises(ContentError, match="took longer"):
        run(code, tmp_path, 0.5)


def test_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    code = "import sys\nfor _ in range(1024): sys.stdout.write('x' * (1 << 20))"
    with pytest.raises(ContentError, match=f"more than {MAX_BYTES} bytes"):
        run(code, tmp_path)


def test_endless_complaints_neither_block_nor_fill_the_memory(tmp_path: Path) -> None:
    code = "import sys\nfor _ in range(40): sys.stderr.write('x' * (1 << 18))\nprint('done')"
    assert run(code, tmp_path) == b"done\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit(3)", "ended with exit code 3"),
        (
            "import sys; print('no\\n\\x1b[31mdisk', file=sys.stderr); sys.exit(3)",
            "code 3:  .31mdisk",
        ),
        ("import os; os.kill(os.getpid(), 9)", "ended with signal 9"),
    ],
)
def test_a_failing_command_is_named_with_its_end(tmp_path: Path, code: str, said: str) -> None:
    with pytest.raises(ContentError, match=said):
        run(code, tmp_path)


@pytest.mark.parametrize("argv", [["no-such-program"], ["./absent"], ["/etc"]])
def test_a_command_that_is_not_there_is_named(tmp_path: Path, argv: list[str]) -> None:
    with pytest.raises(ContentError, match=f"cannot run '{argv[0]}'"):
        RealOutside().run(argv, tmp_path, 10)


def test_files_are_read_within_limits(tmp_path: Path) -> None:
    outside = RealOutside()
    good = tmp_path / "good"
    good.write_text("안녕")
    assert outside.read(good).decode() == "안녕"
    (tmp_path / "big").write_bytes(b"x" * (MAX_BYTES + 1))
    os.mkfifo(tmp_path / "pipe")
    for name, said in [
        ("absent", "No such file"),
        ("big", "longer than"),
        ("pipe", "is not a file"),
        ("", "is not a file|Is a directory"),
    ]:
        with pytest.raises(ContentError, match=said):
            outside.read(tmp_path / name)
