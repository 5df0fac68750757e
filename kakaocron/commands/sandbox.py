"""`kakaocron sandbox`: a local stand-in for Kakao's servers."""

from __future__ import annotations

from typing import Annotated

from kakaocron.commands.lazy import typer
from kakaocron.errors import UsageError
from kakaocron.rehearsal.sandbox.faults import FaultPlan
from kakaocron.rehearsal.sandbox.kakao import Kakao, LoggedRequest
from kakaocron.rehearsal.sandbox.server import run
from kakaocron.system.clock import SystemClock


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8780,
    faults: Annotated[
        str, typer.Option(help="As in -603:0.1,cut-after:0.05 (docs/sandbox.md lists them).")
    ] = "",
    seed: Annotated[int, typer.Option(help="Draws the same faults again.")] = 0,
) -> None:
    """Answer as Kakao's servers do, on 127.0.0.1, until interrupted. No account is needed."""
    clock = SystemClock()
    kakao = Kakao(seed=seed)
    plan = FaultPlan(faults, seed=seed)

    def on_ready(url: str) -> None:
        login = kakao.issue_login(clock.now())
        print(f"Kakao's stand-in listens at {url}.\n")
        print("Set these keys in the table [kakao] of config.toml:\n")
        print(f'rest_api_key = "{kakao.settings.rest_api_key}"')
        print(f'client_secret = "{kakao.settings.client_secret}"')
        print(f'api_url = "{url}"\nauth_url = "{url}"\n')
        print("Then log in: kakaocron login (over ssh: --no-browser).")
        print("Or do without, with a login made for you:\n")
        print(f"export KAKAO_REFRESH_TOKEN={login.refresh_token}\n")
        print("It keeps everything in memory: log in again after each start.")
        print(f"What was delivered: curl {url}/_sandbox/deliveries", flush=True)

    try:
        run(
            "127.0.0.1",
            port,
            kakao=kakao,
            now=clock.now,
            faults=plan,
            on_ready=on_ready,
            on_request=_show,
        )
    except OSError as error:
        raise UsageError(
            f"Cannot listen on port {port}: {error.strerror}", "Try --port 0"
        ) from None


def _show(request: LoggedRequest) -> None:
    fault = f"  [{request.fault}]" if request.fault else ""
    print(
        f"{request.at:%H:%M:%S} {request.method} {request.path}: {request.outcome}{fault}",
        flush=True,
    )
