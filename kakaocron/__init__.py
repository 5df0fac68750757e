"""KakaoTalk messages on the minute from plain cron."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kakaocron.scheduler import Scheduler

__version__ = "0.1.0"
__all__ = ["Scheduler", "__version__"]


def __getattr__(name: str) -> object:
    """Import `Scheduler` when it is asked for: a tick with nothing to do must stay light."""
    if name == "Scheduler":
        from kakaocron.scheduler import Scheduler  # noqa: PLC0415

        return Scheduler
    raise AttributeError(f"module 'kakaocron' has no attribute '{name}'")
