"""Logs in and sends as PyKakao's README does; a ready token may take the login's place."""

# mypy: ignore-errors

import contextlib
import io

from PyKakao import Message
from script import ACCESS, KEY, LINK, REDIRECT, tell, visit

WEB = {"web_url": LINK, "mobile_web_url": LINK}
CONTENT = {"title": "제목", "description": "설명", "image_url": LINK, "link": WEB}
TEMPLATES = {
    "text": {"text": "09:00 약 먹기", "link": WEB, "button_title": "열기"},
    "feed": {
        "content": {**CONTENT, "image_width": 640, "image_height": 640},
        "item_content": {"profile_text": "나", "items": [{"item": "하나", "item_op": "1"}]},
        "social": {"like_count": 1, "view_count": 2},
        "buttons": [{"title": "열기", "link": WEB}],
    },
    "list": {"header_title": "목록", "header_link": WEB, "contents": [CONTENT, CONTENT]},
    "location": {"address": "판교역로 166", "address_title": "판교", "content": CONTENT},
    "commerce": {"content": CONTENT, "commerce": {"regular_price": 1000, "discount_rate": 10}},
}


def said(send, *args, **kwargs):
    """Return what PyKakao printed: it returns nothing."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        send(*args, **kwargs)
    return out.getvalue()


def main():
    api = Message(service_key=KEY, redirect_uri=REDIRECT, scope="talk_message,friends")
    token = ACCESS
    if not token:
        token = api.get_access_token_by_redirected_url(visit(api.get_url_for_generating_code()))
    api.set_access_token(token)
    if ACCESS:
        tell(said(api.send_message_to_me, "text", **TEMPLATES["text"]))
        return
    for kind, template in TEMPLATES.items():
        tell(said(api.send_message_to_me, kind, **template))
    tell(said(api.send_message_to_friend, "text", ["uuid-aaa", "uuid-bbb"], **TEMPLATES["text"]))


main()
