"""Print what the message names, as a JSON object: put your own way to the scores in here."""

import csv
import json
from pathlib import Path

GOAL = 300

with Path("scores.csv").open(encoding="utf-8-sig", newline="") as file:
    scores = {row["라이더"]: int(row["점수"]) for row in csv.DictReader(file)}

total, best = sum(scores.values()), max(scores, key=scores.__getitem__)
fields = {
    "total": total,
    "percent": 100 * total // GOAL,
    "best": best,
    "best_score": scores[best],
}
print(json.dumps(fields))
