"""docs/configuration.md lists what a configuration may hold, with the defaults that hold."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import fields

from kakaocron.config.reading import parse_config
from kakaocron.config.schema import (
    AlimtalkSettings,
    BotSettings,
    DeliveryRules,
    KakaoSettings,
    LedgerRules,
    Message,
    MonitorRules,
    ScheduleRules,
)
from kakaocron.system.places import SECRET_NAMES

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")
SECTIONS: dict[str, type[Struct]] = {
    "[kakao]": KakaoSettings,
    "[bot]": BotSettings,
    "[schedule]": ScheduleRules,
    "[delivery]": DeliveryRules,
    "[ledger]": LedgerRules,
    "[monitor]": MonitorRules,
    "[alimtalk]": AlimtalkSettings,
    "[[message]]": Message,
}


def written(section: str) -> dict[str, str]:
    """Return each key of a section's table with the default beside it."""
    part = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \| ", part, re.MULTILINE))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_stands_there_in_order(section: str) -> None:
    assert list(written(section)) == [one.encode_name for one in fields(SECTIONS[section])]


def default_of(field: Any) -> Any:
    if field.required:
        return "required"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return "none" if value is None else list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("section", SECTIONS)
def test_every_default_is_the_one_that_holds(section: str) -> None:
    for field in fields(SECTIONS[section]):
        said, default = written(section)[field.encode_name], default_of(field)
        if said.startswith("`"):
            assert tomllib.loads(f"x = {said.strip('`')}")["x"] == default, field.name
        else:
            assert said == default, field.name


def test_what_stands_there_as_an_example_can_be_read() -> None:
    examples = re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL)

    config = parse_config("\n".join(examples), "config.toml", "development")

    assert config.friends == {"지우": "abcdefg0001"}
    assert config.delivery.retry_delays == (10, 20, 30)


def test_every_secret_of_the_environment_is_named() -> None:
    assert [name for name in SECRET_NAMES if f"`{name}`" not in PAGE] == []
