#!/usr/bin/env bash
# prometheus_client 0.26.0: metric names may be any UTF-8 since 0.22, as in Prometheus 3, and two
# gauges 전송 (sent) and 실패 (failed) register without a word. One would guess that whoever cannot
# read such names gets an error, or other names. He gets one name twice: `__ 7.0` and `__ 3.0`, each
# with its own # TYPE, and never a hint. So do curl, a Prometheus before 3, and every agent that
# asks for text/plain. Two samples with one name and no label cannot be told apart again.
#
# Why: without `escaping=allow-utf-8` in Accept the encoder escapes by "underscores", one for each
# letter it does not know (openmetrics/exposition.py, _escape): what remains of a Korean name is its
# length. `escaping=dots`, which reads as if it could be turned back, writes two for each letter.
# `escaping=values` alone keeps them apart. The registry compares names before they are escaped, and
# so cannot see it.
#
# Seen:
#   no Accept:        __ __
#   escaping=dots:    ____ ____
#   escaping=values:  U___c804__c1a1_ U___c2e4__d328_
#   allow-utf-8:      {"전송"} {"실패"}
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet prometheus_client==0.26.0
cat > "$folder/seen.py" <<'PYTHON'
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import choose_encoder

EXPECTED = {
    "": ["__", "__"],
    "text/plain; version=1.0.0; escaping=dots": ["____", "____"],
    "text/plain; version=1.0.0; escaping=values": ["U___c804__c1a1_", "U___c2e4__d328_"],
    "text/plain; version=1.0.0; escaping=allow-utf-8": ['{"전송"}', '{"실패"}'],
}
registry = CollectorRegistry()
Gauge("전송", "Sent.", registry=registry).set(7)
Gauge("실패", "Failed.", registry=registry).set(3)
seen = {}
for accept in EXPECTED:
    encode, _ = choose_encoder(accept)
    lines = encode(registry).decode().splitlines()
    samples = [line.split() for line in lines if not line.startswith("#")]
    assert [value for _, value in samples] == ["7.0", "3.0"], lines
    seen[accept] = [name for name, _ in samples]
    print(accept or "no Accept", *seen[accept], sep="  ")
raise SystemExit(seen != EXPECTED)
PYTHON
PYTHONUTF8=1 "$folder/venv/bin/python" "$folder/seen.py"
