"""`kakaocron friends`: whom a message can go to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from kakaocron.commands.options import account_option, config_option, json_option
from kakaocron.installation import find_installation
from kakaocron.kakao.causes import about
from kakaocron.kakao.friends import friends_of
from kakaocron.show.console import print_friends, print_json
from kakaocron.show.next_step import say_next


def friends(
    config: Annotated[Path | None, config_option()] = None,
    account: Annotated[str | None, account_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> None:
    """List the friends who use this app too, by uuid and nickname, for the key `to`."""
    installation = find_installation(config)
    name, login = installation.login_by(account)
    api_url = installation.config.kakao_of(name).api_url
    with about(name):
        found = list(friends_of(login.http, api_url, login.access_token()))
    if as_json:
        print_json([friend.fields() for friend in found])
    else:
        print_friends(found, installation.config.contacts.names())
        say_next(config, installation)
