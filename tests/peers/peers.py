"""Other people's programs for Kakao: pinned releases, and how each is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CLIENTS = Path(__file__).parent / "clients"
REPOSITORY = Path(__file__).parents[2]

PYTHON_PACKAGES = (
    "apprise==2.3.0",
    "PyKakao==0.0.7",
    "kakaome==0.1.1",
    "kpick-oauth==0.3.0",
    "httpx-oauth==0.17.0",
    "fastapi-sso==0.23.0",
    "django-allauth[socialaccount]==65.22.1",
    "kakao-api==0.1.4",
    "kakaotalk-bot==0.1.0",
    "email-validator==2.4.0",  # which kakao-api forgets to ask for
)
FROM_FILES = "airflow-provider-kakao==0.0.2"
NODE_PACKAGES = {
    "passport-kakao": "1.0.1",
    "@logto/connector-kakao": "1.4.6",
    "arctic": "3.7.0",
    "better-auth": "1.7.25",
    "@auth/core": "0.41.3",
}


@dataclass(frozen=True)
class Ended:
    """How a run ended: what the program told, what it asked of Kakao, what was delivered."""

    exit: int
    told: list[Any]
    err: str
    calls: list[dict[str, Any]]
    deliveries: list[str]
    pending: list[str]
    login: dict[str, str]

    def asked(self) -> list[str]:
        """Return each request as HOST METHOD PATH STATUS, the host without its domain."""
        return [
            f"{call['host'].partition('.')[0]} {call['method']} "
            f"{call['target'].partition('?')[0]} {call['status']}"
            for call in self.calls
        ]


@dataclass
class Peers:
    """Everything installed into one folder, and the ground on which it runs."""

    folder: Path
    environment: dict[str, str]
    _ground: subprocess.Popen[str] | None = field(default=None, repr=False)

    def install(self) -> None:
        """Install each package as its registry has it. Raises CalledProcessError."""
        self._run(sys.executable, "-m", "venv", str(self.folder / "venv"))
        pip = [str(self.python), "-m", "pip", "install", "--quiet"]
        self._run(*pip, *PYTHON_PACKAGES)
        files = ("--no-deps", "--target", str(self.folder / "files"))
        self._run(*pip, *files, FROM_FILES)
        (self.folder / "package.json").write_text(json.dumps({"dependencies": NODE_PACKAGES}))
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
        self._run("npm", "install", *quiet)

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def open(self) -> None:
        """Make the certificate, and the ground in namespaces of its own."""
        self._run(
            "openssl", "req", "-batch", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=the relay of a test",
            "-addext", "subjectAltName=DNS:kauth.kakao.com,DNS:kapi.kakao.com",
        )  # fmt: skip
        alone = ["unshare", "--map-root-user", "--net", "--mount", "--kill-child"]
        self._ground = subprocess.Popen(
            [*alone, sys.executable, "-m", "tests.peers.ground", str(self.folder)],
            cwd=REPOSITORY,
            env={**self.environment, "SSL_CERT_FILE": str(self.folder / "cert.pem")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._ground.stdout is not None
        assert self._ground.stdout.readline() == "ready\n"

    def close(self) -> None:
        if self._ground is not None:
            self._ground.communicate(timeout=60)

    def run(
        self,
        home: Path,
        *argv: str,
        account: str,
        faults: tuple[str, ...] = (),
        is_logged_in: bool = False,
        is_access_dead: bool = False,
        settings: dict[str, Any] | None = None,
        **variables: str,
    ) -> Ended:
        """Run one program in `home`; runs of the same `account` meet the same Kakao."""
        ground = self._ground
        assert ground is not None
        assert ground.stdin is not None
        assert ground.stdout is not None
        certificate = str(self.folder / "cert.pem")
        environment = {
            "PATH": self.environment["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "PYTHONPATH": f"{CLIENTS}:{self.folder / 'files'}",
            "PACKAGES": str(self.folder),
            "SSL_CERT_FILE": certificate,
            "REQUESTS_CA_BUNDLE": certificate,
            "NODE_EXTRA_CA_CERTS": certificate,
            **variables,
        }
        order = {
            "argv": argv,
            "env": environment,
            "folder": str(home),
            "account": account,
            "settings": settings or {},
            "faults": faults,
            "is_logged_in": is_logged_in,
            "is_access_dead": is_access_dead,
        }
        ground.stdin.write(json.dumps(order) + "\n")
        ground.stdin.flush()
        return Ended(**json.loads(ground.stdout.readline()))

    def _run(self, *command: str) -> None:
        subprocess.run(command, cwd=self.folder, env=self.environment, check=True, timeout=600)


def real_environment() -> dict[str, str]:
    """Return the environment without what changes how Python runs or what pip may install."""
    own = ("PYTHON", "PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}
