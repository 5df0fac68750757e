"""No example without a test of its own, and none that its pages do not name."""

import re

import pytest

from tests.examples.conftest import EXAMPLES

FOLDERS = {path.parent.name for path in EXAMPLES.glob("*/config.toml")}


def test_each_example_has_its_test() -> None:
    tests = {
        path.stem.removeprefix("test_") for path in EXAMPLES.parent.glob("tests/examples/test_*.py")
    }

    assert tests - {"all"} == FOLDERS


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_each_example_stands_on_its_page(page: str) -> None:
    named = re.findall(
        r"^\| \[(\w+)\]\(\1/config\.toml\) ", (EXAMPLES / page).read_text("utf-8"), re.M
    )

    assert sorted(named) == sorted(FOLDERS)
