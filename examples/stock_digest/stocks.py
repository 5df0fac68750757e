"""Print what the message names, as a JSON object: put your own way to the prices in here."""

import csv
import json
from pathlib import Path

with Path("prices.csv").open(encoding="utf-8-sig", newline="") as file:
    (_, company), *rows = csv.reader(file)

prices = [int(price) for _, price in rows]
fields = {
    "company": company,
    "close": prices[-1],
    "change": prices[-1] / prices[-2] - 1,
    "high": max(prices),
    "low": min(prices),
}
print(json.dumps(fields))
