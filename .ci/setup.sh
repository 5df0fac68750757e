# Sourced by the commands beside it: the same place, environment and versions for all of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# No PYTHON… variable: some hide faults (PYTHONUNBUFFERED a lost exit code), and without compiled
# files (PYTHONDONTWRITEBYTECODE) each of the tests' hundreds of processes compiles them again.
unset "${!PYTHON@}"

# What pip installs, and what it builds with: newer ones ask for the second by a name of its own.
export PIP_CONSTRAINT=.ci/constraints.txt PIP_BUILD_CONSTRAINT=.ci/constraints.txt

# Makes .venv with what pyproject.toml and the constraints want now, or keeps the one that has it.
venv() {
    local wanted
    wanted=$(python3 -V && sed '/^\[tool/,$d' pyproject.toml && cat "$PIP_CONSTRAINT")
    [ "$(cat .venv/wanted 2>/dev/null)" = "$wanted" ] && return
    python3 -m venv --clear .venv
    .venv/bin/pip install --quiet -e '.[dev]'
    echo "$wanted" >.venv/wanted
}

lint() {
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/mypy
}
