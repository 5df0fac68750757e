"""The entry point of `kakaocron` and of `python -m kakaocron`."""

import os
import sys


def main() -> None:
    from kakaocron.ticking.idle import is_idle_tick  # noqa: PLC0415

    if is_idle_tick(sys.argv[1:], os.environ):
        # Nothing was opened or printed; the interpreter's own way out would cost a tenth more.
        os._exit(0)
    import gc  # noqa: PLC0415

    # What a command imports lives to its end. To look it through at every 700th object, and once
    # more on the way out, would cost a tenth of the whole command.
    gc.set_threshold(20_000)
    from kakaocron.cli import run  # noqa: PLC0415

    exit_code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
