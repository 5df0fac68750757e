"""The page of the sandbox names the releases that are run, and the app that it plays."""

from __future__ import annotations

import re

from kakaocron.rehearsal.sandbox.settings import Settings
from tests.peers.peers import FROM_FILES, NODE_PACKAGES, PYTHON_PACKAGES, REPOSITORY

PAGE = (REPOSITORY / "docs" / "sandbox.md").read_text("utf-8")
LIBRARIES = {"email-validator"}


def test_the_table_has_each_program_with_its_version_and_no_other() -> None:
    pins = [pin.split("==") for pin in (*PYTHON_PACKAGES, FROM_FILES)]
    installed = {re.sub(r"\[.*", "", name).lower(): version for name, version in pins}
    installed |= NODE_PACKAGES
    rows = re.findall(r"^\| (\S+) \| (\d+\.\d+\.\d+) \|", PAGE, re.MULTILINE)

    assert len(rows) >= 13
    assert {name.lower(): version for name, version in rows} == {
        name: version for name, version in installed.items() if name not in LIBRARIES
    }


def test_the_page_names_the_usual_app() -> None:
    app = Settings()
    assert f'rest_api_key = "{app.rest_api_key}"' in PAGE
    assert f'client_secret = "{app.client_secret}"' in PAGE
    assert all(f"`{scope}`" in PAGE for scope in app.scopes)
