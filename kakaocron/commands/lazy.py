"""Typer, imported when a parser is built: a bare command, as cron's, is called without one."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typer as typer  # noqa: PLC0414 - what it is to those who import it from here
else:

    class _Typer:
        def __getattr__(self, name: str) -> Any:
            import typer  # noqa: PLC0415

            return getattr(typer, name)

    typer = _Typer()
