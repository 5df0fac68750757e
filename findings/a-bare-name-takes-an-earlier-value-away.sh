#!/usr/bin/env bash
# python-dotenv 1.2.4: in a file that sets a name and later has the name alone (`export NAME`, as a
# shell script would to export it), the later line takes the value away: dotenv_values gives None,
# and load_dotenv sets nothing. In a shell the same two lines export the value.
#
# Seen:
#   shell:          kept
#   dotenv_values:  None
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-dotenv==1.2.4
printf 'NAME=kept\nexport NAME\n' > "$folder/env"
shell=$(sh -c '. "$1"; printenv NAME' sh "$folder/env")
dotenv=$("$folder/venv/bin/python" -c '
import sys
from dotenv import dotenv_values
print(dotenv_values(sys.argv[1])["NAME"])' "$folder/env")
echo "shell:          $shell"
echo "dotenv_values:  $dotenv"
[ "$shell" = kept ] && [ "$dotenv" = None ]
