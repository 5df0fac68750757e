"""The entry point of `kakaocron` and of `python -m kakaocron`."""

import _signal  # type: ignore[import-not-found] # `signal` costs an idle tick more than all it does
import os
import sys

ASKING = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)
INTERRUPTED = 130


def main() -> None:
    for number in ASKING:
        if _signal.getsignal(number) != _signal.SIG_IGN:
            # Nothing has been done so far. Each command has its own way to end from `run` on.
            _signal.signal(number, lambda *_: os._exit(INTERRUPTED))
    from kakaocron.idle import is_idle_tick  # noqa: PLC0415

    if is_idle_tick(sys.argv[1:], os.environ):
        # Nothing was opened or printed; the interpreter's own way out would cost a tenth more.
        os._exit(0)
    import gc  # noqa: PLC0415

    # What a command imports lives to its end. To look it through at every 700th object, and once
    # more on the way out, would cost a tenth of the whole command.
    gc.set_threshold(100_000)
    _import_msgspec()
    from kakaocron.cli import run  # noqa: PLC0415

    try:
        exit_code = run(sys.argv[1:])
    except KeyboardInterrupt:  # as it ended anyway
        exit_code = INTERRUPTED
    for number in ASKING:
        _signal.signal(number, _signal.SIG_IGN)  # what is left to be waited for has its limit
    if exit_code == INTERRUPTED:
        # CPython ends by SIGINT in place of our code if the interrupt came while `exec` ran a
        # string, as each dataclass does (pythonrun.c, run_eval_code_obj).
        import atexit  # noqa: PLC0415

        atexit._run_exitfuncs()
        os._exit(exit_code)
    gc.freeze()
    sys.exit(exit_code)


def _import_msgspec() -> None:
    """Import it without typing_extensions, where that is installed: a tenth of a whole tick, for
    names that Python has itself. A version that needs it is imported as ever, by who does next."""
    if "typing_extensions" in sys.modules:
        return
    sys.modules["typing_extensions"] = None  # type: ignore[assignment] # as if it were not there
    try:
        import msgspec  # noqa: F401, PLC0415
    except ImportError:
        pass
    finally:
        del sys.modules["typing_extensions"]


if __name__ == "__main__":
    main()
