#!/usr/bin/env bash
# Run a built image where a container may do the least, and check what comes out:
#
#   tests/container/check_container.sh IMAGE INPUT_DIR
#
# The user is one that the image does not know, root filesystem and inputs are read-only, and there is no
# network, no capability and no more than 8 GB of memory. First every input must get its output; then an
# output folder that cannot be written must end in exit code 2 and one line that says what to do.
#
# Needs docker or podman (ENGINE names another) and python3. A command in RUN_IMAGE runs the containers
# instead; it is called as
#   $RUN_IMAGE IMAGE INPUT_DIR OUTPUT_DIR --memory 8g --user 12345:12345 --read-only --ro-inputs --no-network \
#              --engine-arg --cap-drop=ALL -- COMMAND...
# and what it says itself goes to stderr in lines that begin with a [word].
set -uo pipefail

[ $# -eq 2 ] && [ -d "$2" ] || { echo "usage: $0 IMAGE INPUT_DIR" >&2; exit 2; }
image=$1
inputs=$(cd "$2" && pwd)
owner=12345:12345
# The challenge's own, letter for letter.
command=(/bin/bash -c "sh predict.sh")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

failures=0
check() { # WHAT COMMAND...: PASS where the command succeeds
    local what=$1
    shift
    if "$@"; then echo "PASS $what"; else echo "FAIL $what"; failures=$((failures + 1)); fi
}

run_to() { # OUTPUT_DIR
    if [ -n "${RUN_IMAGE:-}" ]; then
        # shellcheck disable=SC2086  # a command with its arguments
        $RUN_IMAGE "$image" "$inputs" "$1" --memory 8g --user "$owner" --read-only --ro-inputs --no-network \
            --engine-arg --cap-drop=ALL -- "${command[@]}"
        return
    fi
    local engine=${ENGINE:-} options=()
    if [ -z "$engine" ]; then
        if command -v docker >/dev/null; then engine=docker; else engine=podman; fi
    fi
    # Podman else adds a writable /tmp and an entry for the user.
    case $engine in *podman*) options=(--read-only-tmpfs=false --passwd=false) ;; esac
    "$engine" run --rm --memory 8g --memory-swap 8g --user "$owner" --read-only ${options[@]+"${options[@]}"} \
        --network none --cap-drop ALL --security-opt label=disable \
        -v "$inputs:/workspace/inputs:ro" -v "$1:/workspace/outputs" "$image" "${command[@]}"
}

whole_output() { # FILE: a sound zip archive that holds segs
    python3 - "$1" <<'PY'
import sys, zipfile
try:
    with zipfile.ZipFile(sys.argv[1]) as archive:
        sys.exit(archive.testzip() is not None or "segs.npy" not in archive.namelist())
except (OSError, zipfile.BadZipFile) as error:
    sys.exit(f"{sys.argv[1]}: {error}")
PY
}

mkdir -m 777 "$scratch/outputs"
run_to "$scratch/outputs"
check "exit code 0, got $?" test $? -eq 0
cases=0
for input in "$inputs"/*.npz; do
    [ -e "$input" ] || continue
    cases=$((cases + 1))
    check "output of ${input##*/}" whole_output "$scratch/outputs/${input##*/}"
done
check "cases in $inputs: $cases" test "$cases" -gt 0
check "nothing else in the output folder" test "$(find "$scratch/outputs" -mindepth 1 | wc -l)" -eq "$cases"

mkdir -m 555 "$scratch/shut"
run_to "$scratch/shut" >"$scratch/stdout" 2>"$scratch/stderr"
check "shut output folder: exit code 2, got $?" test $? -eq 2
# What is left without the words of the engine or RUN_IMAGE.
grep -vE '^(\[[a-z]+\]|WARNING:) ' "$scratch/stderr" >"$scratch/ours"
cat "$scratch/ours"
check "shut output folder: one line on stderr" test "$(wc -l <"$scratch/ours")" -eq 1
check "shut output folder: the line names the folder" grep -qF /workspace/outputs "$scratch/ours"
check "shut output folder: the line tells of --user" grep -qF -e --user "$scratch/ours"
check "shut output folder: nothing on stdout" test ! -s "$scratch/stdout"

if [ "$failures" -gt 0 ]; then echo "FAIL: $failures of the checks above"; exit 1; fi
echo "PASS: all"
