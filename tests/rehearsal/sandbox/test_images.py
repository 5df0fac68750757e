"""Pictures for messages, uploaded and fetched over real sockets."""

import json
import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from kakaocron.rehearsal.sandbox.images import MAX_IMAGE_BYTES
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.pictures import draw, look_at
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.wire import WireRequest
from tests.rehearsal.sandbox.support import NOW, get

UPLOAD, SCRAPE, DELETE = (
    f"/v2/api/talk/message/image/{name}" for name in ("upload", "scrap", "delete")
)
PNG = draw(8, 5)

# The smallest heads of each kind, written by hand from their specifications: 300 wide, 200 high.
HEADS = {
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 300, 200),
    "gif": b"GIF89a" + struct.pack("<HH", 300, 200),
    "bmp": b"BM" + b"\0" * 12 + b"\x28\0\0\0" + struct.pack("<ii", 300, -200),
    "jpeg": b"\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x02\xff\xc0\0\x0b\x08"
    + struct.pack(">HH", 200, 300),
    "webp": b"RIFF\0\0\0\0WEBPVP8X" + b"\0" * 8 + b"\x2b\x01\0\xc7\0\0",
}
WEBP_VP8 = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 300, 200)
WEBP_VP8L = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 299 | 199 << 14)


class Clock:
    at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(kakao: Kakao, clock: Clock) -> Iterator[SandboxServer]:
    with SandboxServer(kakao, clock.now) as server:
        yield server


@pytest.fixture
def bearer(kakao: Kakao) -> dict[str, str]:
    return {"Authorization": f"Bearer {kakao.issue_login(NOW).access_token}"}


def upload(server: SandboxServer, headers: dict[str, str], files: Any, **data: str) -> Any:
    return requests.post(server.url + UPLOAD, headers=headers, files=files, data=data, timeout=10)


def original(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code == 200
    return dict(answer.json()["infos"]["original"])


def test_an_uploaded_picture_is_measured_and_shown_until_it_is_deleted(
    server: SandboxServer, bearer: dict[str, str]
) -> None:
    made = original(
        upload(server, bearer, {"file": ("a.txt", PNG.content)}, secure_resource="true")
    )

    assert made["url"].startswith(f"{server.url}/dn/")
    assert made | {"url": ""} == {
        "url": "",
        "content_type": "image/png",
        "length": len(PNG.content),
        "width": 8,
        "height": 5,
    }
    shown = requests.get(made["url"], timeout=5)
    assert (shown.headers["Content-Type"], shown.content) == ("image/png", PNG.content)
    assert requests.get(f"{server.url}/_sandbox/images", timeout=5).json()[0]["width"] == 8
    assert server.deliveries == []

    gone = {"image_url": made["url"]}
    for status in (200, 400):
        answer = requests.delete(server.url + DELETE, headers=bearer, data=gone, timeout=5)
        assert answer.status_code == status
    assert requests.get(made["url"], timeout=5).status_code == 404
    assert server.kakao.images == []


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 404), (1, 404)])
def test_a_picture_is_kept_for_100_days(
    server: SandboxServer, clock: Clock, bearer: dict[str, str], seconds: int, status: int
) -> None:
    made = original(upload(server, bearer, {"file": PNG.content}))
    clock.at += timedelta(days=100, seconds=seconds)

    assert requests.get(made["url"], timeout=5).status_code == status


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([("image", PNG.content)], -2),
        ([("file", b"")], -2),
        ([("file", PNG.content), ("file", PNG.content)], -606),
        ([("file", ("a.png", b"not a picture"))], -911),
        ([("file", ("a.svg", b"<svg/>"))], -911),
        ([("file", PNG.content[:20])], -911),
    ],
)
def test_what_is_no_single_picture_is_refused(
    server: SandboxServer, bearer: dict[str, str], files: Any, code: int
) -> None:
    answer = upload(server, bearer, files)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(("more", "code"), [(-1, None), (0, None), (1, -602)])
def test_a_picture_has_at_most_five_megabytes(
    server: SandboxServer, bearer: dict[str, str], more: int, code: int | None
) -> None:
    content = PNG.content.ljust(MAX_IMAGE_BYTES + more, b"\0")
    assert upload(server, bearer, {"file": content}).json().get("code") == code


@pytest.mark.parametrize("path", [UPLOAD, SCRAPE])
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "text/plain"])
def test_another_body_is_refused(
    server: SandboxServer, bearer: dict[str, str], path: str, kind: str
) -> None:
    headers = {**bearer, "Content-Type": kind}
    answer = requests.post(server.url + path, headers=headers, data=b'{"file": 1}', timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, -2)


@pytest.mark.parametrize(
    ("header", "status"),
    [(None, 401), ("KakaoAK wrong", 401), ("Bearer wrong", 401), ("KakaoAK {key}", 200)],
)
def test_a_picture_needs_a_token_or_a_key_of_the_app(
    server: SandboxServer, header: str | None, status: int
) -> None:
    key = server.kakao.settings.rest_api_key
    headers = {"Authorization": header.format(key=key)} if header else {}
    assert upload(server, headers, {"file": PNG.content}).status_code == status


def test_scraping_fetches_nothing(server: SandboxServer, bearer: dict[str, str]) -> None:
    def scrape(url: str) -> requests.Response:
        form = {"image_url": url, "secure_resource": "true"}
        return requests.post(server.url + SCRAPE, headers=bearer, data=form, timeout=5)

    foreign = original(scrape("https://example.org/chart.png"))
    assert (foreign["width"], foreign["height"]) == (800, 400)
    assert requests.get(foreign["url"], timeout=5).content[:4] == b"\x89PNG"
    own = original(upload(server, bearer, {"file": PNG.content}))
    assert original(scrape(own["url"]))["width"] == 8
    for wrong in ("chart.png", "http://[/a.png", "http://a]/a.png", "http://\u2100/a.png"):
        assert scrape(wrong).json()["code"] == -2


@pytest.mark.parametrize(
    ("scheme", "secure", "expected"),
    [("http", "true", "http"), ("https", "false", "http"), ("https", "true", "https")],
)
def test_the_address_is_https_only_where_it_was_asked_for(
    kakao: Kakao, token: str, scheme: str, secure: str, expected: str
) -> None:
    asked = get(SCRAPE, token)
    body = f"image_url=https://example.org/a.png&secure_resource={secure}".encode()
    headers = {**asked.headers, "Content-Type": "application/x-www-form-urlencoded"}
    request = WireRequest("POST", SCRAPE, "", headers, body, scheme)
    said = kakao.handle(request, NOW).body.decode()

    assert f'"url":"{expected}://kapi.test/dn/' in said


@pytest.mark.parametrize("kind", HEADS)
def test_each_kind_of_picture_is_known_by_its_head(kind: str) -> None:
    picture = look_at(HEADS[kind])
    assert picture is not None
    assert (picture.content_type, picture.width, picture.height) == (f"image/{kind}", 300, 200)
    for length in range(len(HEADS[kind])):
        assert look_at(HEADS[kind][:length]) is None


@pytest.mark.parametrize("head", [WEBP_VP8, WEBP_VP8L])
def test_the_older_forms_of_webp_are_known(head: bytes) -> None:
    picture = look_at(head)
    assert picture is not None
    assert (picture.width, picture.height) == (300, 200)


def test_faults_of_an_upload_leave_messages_alone(
    server: SandboxServer, bearer: dict[str, str], kakao: Kakao
) -> None:
    server.faults.enqueue("no-address", "picture-gone")
    without = upload(server, bearer, {"file": PNG.content})
    gone = original(upload(server, bearer, {"file": PNG.content}))
    shown = [feed(server, bearer, gone["url"]), feed(server, bearer, "https://example.com/a.png")]
    kept = original(upload(server, bearer, {"file": PNG.content}))
    shown.append(feed(server, bearer, kept["url"]))

    assert (without.status_code, original(without)) == (200, {"url": ""})
    assert requests.get(gone["url"], timeout=10).status_code == 404
    assert shown == [None, None, kakao.images[-1].path]
    assert len(kakao.images) == 1


def test_a_picture_is_seen_for_a_hundred_days(
    server: SandboxServer, bearer: dict[str, str], clock: Clock, kakao: Kakao
) -> None:
    url = original(upload(server, bearer, {"file": PNG.content}))["url"]
    seen = []
    for days in (99, 100):
        clock.at = NOW + timedelta(days=days)
        token = {"Authorization": f"Bearer {kakao.issue_login(clock.at).access_token}"}
        seen.append(feed(server, token, url) is not None)

    assert seen == [True, False]


def feed(server: SandboxServer, headers: dict[str, str], url: str) -> str | None:
    """Send a feed with a picture; return the path of the one that is seen with it."""
    content = {"title": "그림", "image_url": url, "link": {"web_url": "https://example.org"}}
    template = json.dumps({"object_type": "feed", "content": content})
    sent = requests.post(
        server.url + "/v2/api/talk/memo/default/send",
        headers=headers,
        data={"template_object": template},
        timeout=10,
    )
    assert sent.json() == {"result_code": 0}
    return server.deliveries[-1].picture
