"""Print prices.csv as a picture: its first column along the bottom, its second as a line.

It needs `pip install 'kakaocron[chart]'` in the environment whose python3 config.toml names for it,
by its whole path, as cron finds the system's; and a font that has Hangul. Where one of them is
missing, the message goes without the picture, and `kakaocron explain` says which.
"""

import csv
import sys
from io import BytesIO
from pathlib import Path

try:
    from matplotlib import font_manager, rcParams
    from matplotlib.figure import Figure
except ImportError:
    sys.exit(
        f"no matplotlib for {sys.executable}: pip install 'kakaocron[chart]', "
        "and name the python3 that has it in image_command"
    )

KOREAN_FONTS = ("NanumGothic", "Noto Sans CJK KR", "Noto Sans KR", "UnDotum", "Baekmuk Dotum")

installed = set(font_manager.get_font_names())
found = [name for name in KOREAN_FONTS if name in installed]
if not found:
    sys.exit("no font with Hangul here: sudo apt install fonts-nanum")
rcParams["font.family"] = found[0]
rcParams["font.size"] = 18

with Path("prices.csv").open(encoding="utf-8-sig", newline="") as file:
    (_, company), *rows = csv.reader(file)
days, prices = [day for day, _ in rows], [int(price) for _, price in rows]

# As wide as high: no phone cuts that. 900 pixels are plenty.
figure = Figure(figsize=(9, 9), dpi=100, layout="constrained")
axes = figure.subplots()
axes.plot(days, prices, linewidth=4, marker="o", markersize=9)
axes.set_title(f"{company} 종가")
axes.set_xticks(days[:: max(1, len(days) // 4)])
axes.yaxis.set_major_formatter("{x:,.0f}원")
axes.grid(visible=True, alpha=0.4)

picture = BytesIO()
figure.savefig(picture, format="png")
sys.stdout.buffer.write(picture.getvalue())
