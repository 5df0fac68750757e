"""Sends to each room as kakaotalk-bot's README does, and asks for the bot's guide."""

# mypy: ignore-errors

import sys

from kakaotalk_bot import KakaoBotApiError, KakaoBotSyncClient
from script import tell


def said(send, *arguments):
    try:
        return send(*arguments)
    except KakaoBotApiError as error:
        return [error.status, error.code]


def main():
    token, *rooms = sys.argv[1:]
    client = KakaoBotSyncClient(token)
    bubble = {"simpleText": {"text": "09:00 조회"}}
    skill = {"version": "2.0", "template": {"outputs": [bubble]}}
    for room in rooms:
        tell(said(client.send_to_group, room, skill))
    tell(said(client.get_guide))


main()
