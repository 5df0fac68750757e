import json

from hypothesis import given, settings
from hypothesis import strategies as st

from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.wire import WireRequest
from tests.rehearsal.sandbox.support import FORM, FRIENDS, MEMO, NOW, TOKEN, memo_fields, post

PATHS = st.sampled_from([MEMO, FRIENDS, TOKEN, "/oauth/authorize", "/v1/api/talk/friends"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None, max_examples=50)
@given(PATHS, st.sampled_from(["GET", "POST"]), st.text(), st.binary())
def test_any_bytes_get_an_answer_and_deliver_nothing(
    path: str, method: str, query: str, body: bytes
) -> None:
    kakao = Kakao()
    headers = {
        "Authorization": f"Bearer {kakao.issue_login(NOW).access_token}",
        "Content-Type": FORM,
    }
    kakao.handle(WireRequest(method, path, query, headers, body), NOW)

    assert kakao.deliveries == []


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.sampled_from(["object_type", "text", "link", "content"]), JSON))
def test_any_json_gets_an_answer_and_only_an_accepted_one_is_delivered(change: object) -> None:
    kakao = Kakao()
    token = kakao.issue_login(NOW).access_token
    template = json.loads(memo_fields()["template_object"])
    template.update(change)
    answer = kakao.handle(post(MEMO, {"template_object": json.dumps(template)}, token), NOW)

    assert (answer.status == 200) == (len(kakao.deliveries) == 1)
