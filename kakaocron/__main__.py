"""The entry point of `kakaocron` and of `python -m kakaocron`."""

import os
import sys


def main() -> None:
    from kakaocron.idle import is_idle_tick  # noqa: PLC0415

    if is_idle_tick(sys.argv[1:], os.environ):
        # Nothing was opened or printed; the interpreter's own way out would cost a tenth more.
        os._exit(0)
    from kakaocron.cli import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
