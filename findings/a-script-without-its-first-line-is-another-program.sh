#!/usr/bin/env bash
# CPython 3.11: subprocess.run(["report"]) starts the program that the PATH names, so one would put a
# folder of one's own before the others, and expect the first `report` to run, or an error. If the
# first one is a script that lacks its #! line, Python runs the next `report` on the PATH instead,
# without a word: another program. The shell, env(1) and xargs run the first one, as a script of
# /bin/sh, and shutil.which names the first one, too.
#
# Why: _posixsubprocess.c's child_exec tries execve on each folder of the PATH in turn and goes on
# after any error, ENOEXEC among them; os.execvp (os.py, _execvpe) does the same. execvp(3) stops at
# ENOEXEC and lets /bin/sh run that file.
#
# Seen with Python 3.11.7, dash 0.5.12, coreutils 9.1:
#   shutil.which:   first
#   sh -c:          first
#   env:            first
#   subprocess:     second
#   os.execvp:      second
#   whole path:     OSError: Exec format error
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for name in first second; do
    mkdir "$folder/$name"
    echo "echo $name" > "$folder/$name/report"
    chmod 755 "$folder/$name/report"
done
sed -i '1i #!/bin/sh' "$folder/second/report"
python=$(python3 -c 'import sys; print(sys.executable)')
export PATH=$folder/first:$folder/second:/usr/bin:/bin
cat > "$folder/ask.py" <<'PYTHON'
import os
import shutil
import subprocess
import sys

how = sys.argv[1]
if how == "which":
    print(shutil.which("report").split("/")[-2])
elif how == "run":
    print(subprocess.run(["report"], capture_output=True, text=True, check=True).stdout.strip())
elif how == "execvp":
    os.execvp("report", ["report"])
else:
    try:
        subprocess.run([shutil.which("report")], check=True)
    except OSError as error:
        print(f"OSError: {error.strerror}")
PYTHON
"$python" -V
said=$(
    echo "shutil.which:   $("$python" "$folder/ask.py" which)"
    echo "sh -c:          $(sh -c report)"
    echo "env:            $(env report)"
    echo "subprocess:     $("$python" "$folder/ask.py" run)"
    echo "os.execvp:      $("$python" "$folder/ask.py" execvp)"
    echo "whole path:     $("$python" "$folder/ask.py" path)"
)
echo "$said"
[ "$(sed 's/.*: *//' <<< "$said" | xargs)" = "first first first second second Exec format error" ]
