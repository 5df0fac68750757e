"""The entry point of `kakaocron` and of `python -m kakaocron`."""

import os
import sys


def main() -> None:
    from kakaocron.idle import is_idle_tick  # noqa: PLC0415

    if is_idle_tick(sys.argv[1:], os.environ):
        return
    from kakaocron.cli import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
