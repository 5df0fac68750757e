import pytest

from tests.examples.conftest import Example
from tests.examples.test_shop_pictures import arrived

TEXT = "📈 11월 23일 가나전자\n종가 74,200원 (+0.8%)\n최고 74,200원 · 최저 70,100원"


def test_after_the_market_the_price_arrives_with_its_chart(example: Example) -> None:
    fonts = pytest.importorskip("matplotlib.font_manager").get_font_names()
    if not {"NanumGothic", "Noto Sans CJK KR"} & set(fonts):
        pytest.skip("no font with Hangul on this machine")
    example.tick("15:39")
    example.tick("15:40")
    example.tick("15:41")
    assert arrived(example) == [(TEXT, True)]
    [chart] = example.sandbox.kakao.images
    assert (chart.content_type, chart.width, chart.height) == ("image/png", 900, 900)


@pytest.mark.parametrize(
    ("font_manager", "said"),
    [
        ("raise ImportError", "pip install 'kakaocron[chart]'"),
        ("get_font_names = lambda: ['DejaVu Sans']", "sudo apt install fonts-nanum"),
    ],
)
def test_what_the_chart_lacks_is_named_and_the_price_arrives_without_it(
    example: Example, font_manager: str, said: str
) -> None:
    """The library is a stand-in: what counts is that it, or a font, is not there."""
    library = example.folder / "matplotlib"
    library.mkdir()
    example.write("matplotlib/__init__.py", "rcParams = {}\n")
    example.write("matplotlib/font_manager.py", font_manager + "\n")
    example.write("matplotlib/figure.py", "Figure = None\n")
    example.tick("15:40")
    assert arrived(example) == [(TEXT, False)]
    assert said in example.run("explain", "15:40")


def test_it_rests_at_the_weekend(example: Example) -> None:
    example.tick("15:40", day=28)
    assert example.arrived == []
