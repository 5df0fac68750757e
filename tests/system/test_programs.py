"""Other people's programs and files: hanging, endless, failing, absent."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kakaocron.errors import ContentError
from kakaocron.system.programs import MAX_BYTES, Programs, read_content


def run(code: str, folder: Path, timeout: float = 10.0, **variables: str) -> bytes:
    return Programs(variables).run([sys.executable, "-c", code], folder, timeout)


def test_a_command_has_its_folder_and_none_of_our_secrets(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), sorted(os.environ))"
    variables = {"KAKAO_ACCESS_TOKEN": "geheim", "PATH": "/bin", "HOME": "/h"}
    output = Programs(variables).run([sys.executable, "-c", code], tmp_path, 10).decode()
    assert str(tmp_path) in output
    assert "KAKAO" not in output
    assert "'HOME'" in output


def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    assert Programs().run(["echo", "$HOME; ls *"], tmp_path, 10) == b"$HOME; ls *\n"


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


def _wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


# Each leaves a child behind that sleeps and that nobody would find by the command's own group.
LEFT = {
    "in its group": "sleep 60 & echo $! > pid; {end}",
    "in a session of its own": "setsid sleep 60 & echo $! > pid; {end}",
    "forked twice": "(setsid sh -c 'echo $$ > pid; exec sleep 60' &) ; {end}",
    "without our environment": "(env -i setsid sh -c 'echo $$ > pid; exec sleep 60' &) ; {end}",
    "with SIGTERM and SIGHUP ignored": (
        "(trap '' TERM HUP INT; setsid sh -c 'echo $$ > pid; while :; do sleep 60; done' &) ; {end}"
    ),
    "without our pipes": (
        "(setsid sh -c 'echo $$ > pid; exec sleep 60' < /dev/null > /dev/null 2>&1 &) ; {end}"
    ),
    "with descendants of its own": (
        "(setsid sh -c '(setsid sleep 60 & echo $! > pid); sleep 60' &) ; {end}"
    ),
}


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT.keys())
@pytest.mark.parametrize("end", ["sleep 60", "exit 3", "exit 0"])
def test_nothing_that_a_command_has_started_lives_on(tmp_path: Path, left: str, end: str) -> None:
    waits = "while [ ! -s pid ]; do sleep 0.01; done; "
    shell = ["/bin/sh", "-c", left.format(end=waits + end)]
    if end == "exit 0":
        Programs().run(shell, tmp_path, 10)
    else:
        with pytest.raises(ContentError, match=r"took longer than 1 s|exit code 3"):
            Programs().run(shell, tmp_path, 1)
    assert _is_gone(int((tmp_path / "pid").read_text()))


def test_nothing_lives_on_where_kakaocron_itself_is_killed(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from kakaocron.system.programs import Programs\n"
        "Programs().run(['sh', '-c', 'setsid sleep 60 & echo $! > pid; wait'], Path('.'), 60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    pid = tmp_path / "pid"
    _wait_for(lambda: pid.exists() and pid.read_text() != "")
    process.kill()
    process.wait()
    _wait_for(lambda: _is_gone(int(pid.read_text())))


def test_a_command_leaves_another_that_runs_beside_it_alone(tmp_path: Path) -> None:
    found: list[bytes] = []
    shell = "(setsid sh -c 'sleep 1; echo 12,300 > made' &) ; while [ ! -s made ]; do sleep 0.01; "
    slow = ["sh", "-c", shell + "done; cat made"]
    thread = threading.Thread(target=lambda: found.append(Programs().run(slow, tmp_path, 10)))
    thread.start()
    while thread.is_alive():
        assert Programs().run(["echo", "x"], tmp_path, 10) == b"x\n"
    assert found == [b"12,300\n"]


@pytest.mark.parametrize(
    "shell",
    [
        "sleep 60 & echo 12,300",
        "setsid sleep 60 & echo 12,300",
        "(sleep 60 &) ; echo 12,300",
        "trap '' TERM; sleep 60 & echo 12,300",
        "sleep 60 > /dev/null & echo 12,300",  # holds stderr only
        "sleep 60 2> /dev/null & echo 12,300",  # holds stdout only
        "exec 2>&-; sleep 60 & echo 12,300",
        "(sleep 0.1; echo 12,300) &",  # printed after the command's own end
        "echo 12,300; exec >&-; exec 2>&-; sleep 0.1",
    ],
)
def test_a_child_that_keeps_the_output_open_costs_no_message(tmp_path: Path, shell: str) -> None:
    began = time.monotonic()
    assert Programs().run(["sh", "-c", shell], tmp_path, 30) == b"12,300\n"
    assert time.monotonic() - began < 10


def test_a_child_that_prints_for_ever_is_not_listened_to(tmp_path: Path) -> None:
    shell = "(while :; do echo x; sleep 0.05; done) & echo 12,300"
    output = Programs().run(["sh", "-c", shell], tmp_path, 30)
    assert set(output.split()) <= {b"12,300", b"x"}
    assert b"12,300" in output


def test_a_command_has_its_own_session_and_the_usual_signals(tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "print(os.getsid(0) == os.getpid(), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,\n"
        "os.read(0, 1), sorted(os.listdir('/proc/self/fd')))\n"
        "os.kill(os.getppid(), signal.SIGTERM)"
    )
    assert run(code, tmp_path).startswith(b"True True b'' ['0', '1', '2', '3']")


def test_a_command_that_kills_its_supervisor_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="killed with its supervisor"):
        Programs().run(["sh", "-c", "echo 5; kill -9 $PPID; sleep 60"], tmp_path, 10)


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
        Programs().run(argv, tmp_path, 10)


@pytest.mark.parametrize(
    ("content", "mode", "behind", "said"),
    [
        (b"#!/bin/sh\n", 0o644, "not-executable", "chmod +x"),
        (b"echo\n", 0o755, "no-interpreter", "names no interpreter"),
        (b"#!/bin/sh\r\necho\r\n", 0o755, "windows-lines", "end as on Windows"),
        (b"#!/no/such\n", 0o755, "interpreter-gone", "not there: '/no/such'"),
    ],
)
def test_why_a_file_cannot_be_run_is_kept_as_a_code(
    tmp_path: Path, content: bytes, mode: int, behind: str, said: str
) -> None:
    path = tmp_path / "run.sh"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(ContentError, match=re.escape(said)) as raised:
        Programs().run(["./run.sh"], tmp_path, 10)
    cause = raised.value.cause
    assert (cause.code, cause.facts["behind"]) == ("cannot-run", behind)
    assert not any(" " in str(fact) for fact in cause.facts.values())  # no words of ours


def test_files_are_read_within_limits(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_text("안녕")
    assert read_content(good).decode() == "안녕"
    (tmp_path / "big").write_bytes(b"x" * (MAX_BYTES + 1))
    os.mkfifo(tmp_path / "pipe")
    for name, said in [
        ("absent", "No such file"),
        ("big", "longer than"),
        ("pipe", "is not a file"),
        ("", "is not a file|Is a directory"),
    ]:
        with pytest.raises(ContentError, match=said):
            read_content(tmp_path / name)
