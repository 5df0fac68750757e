"""The entry point of `kakaocron` and of `python -m kakaocron`."""

import sys


def main() -> None:
    from kakaocron.cli import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
