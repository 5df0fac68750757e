import json

from hypothesis import given, settings
from hypothesis import strategies as st

from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.wire import WireRequest
from tests.rehearsal.sandbox.support import FORM, FRIENDS, MEMO, NOW, TOKEN, memo_fields, post
from tests.rehearsal.sandbox.test_images import HEADS as PICTURE_HEADS
from tests.rehearsal.sandbox.test_images import WEBP_VP8, WEBP_VP8L

HEADS = [*PICTURE_HEADS.values(), WEBP_VP8, WEBP_VP8L]
IMAGES = [f"/v2/api/talk/message/image/{name}" for name in ("upload", "scrap", "delete")]
PATHS = st.sampled_from(
    [MEMO, FRIENDS, TOKEN, "/oauth/authorize", "/v1/api/talk/friends", "/v2/user/me", *IMAGES]
)
KINDS = st.sampled_from([FORM, "multipart/form-data; boundary=x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None, max_examples=50)
@given(PATHS, st.sampled_from(["GET", "POST", "DELETE"]), st.text(), st.binary(), KINDS)
def test_any_bytes_get_an_answer_and_deliver_nothing(
    path: str, method: str, query: str, body: bytes, kind: str
) -> None:
    kakao = Kakao()
    headers = {
        "Authorization": f"Bearer {kakao.issue_login(NOW).access_token}",
        "Content-Type": kind,
    }
    kakao.handle(WireRequest(method, path, query, headers, body), NOW)

    assert kakao.deliveries == []


@settings(deadline=None, max_examples=50)
@given(st.binary(), st.sampled_from(HEADS), st.integers(0, 40))
def test_any_picture_gets_an_answer_and_only_a_measured_one_is_kept(
    content: bytes, head: bytes, cut: int
) -> None:
    kakao = Kakao()
    token = kakao.issue_login(NOW).access_token
    body = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
    body += head[:cut] + content + b"\r\n--x--\r\n"
    kind = "multipart/form-data; boundary=x"
    answer = kakao.handle(post(IMAGES[0], {}, token, content_type=kind, body=body), NOW)

    assert (answer.status == 200) == (len(kakao.images) == 1)
    assert all(image.width > 0 < image.height for image in kakao.images)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.sampled_from(["object_type", "text", "link", "content"]), JSON))
def test_any_json_gets_an_answer_and_only_an_accepted_one_is_delivered(change: object) -> None:
    kakao = Kakao()
    token = kakao.issue_login(NOW).access_token
    template = json.loads(memo_fields()["template_object"])
    template.update(change)
    answer = kakao.handle(post(MEMO, {"template_object": json.dumps(template)}, token), NOW)

    assert (answer.status == 200) == (len(kakao.deliveries) == 1)
