#!/bin/sh
# Install the pinned torch as a CPU build into the environment of the given python:
#
#   scripts/install_torch.sh [PYTHON]
#
# First from PyTorch's own CPU index where that answers, else from wherever this machine's pip is set up
# to look. A build that would bring gigabytes of CUDA packages is refused unless ALLOW_CUDA=1 asks for it.
set -eu

python=${1:-python3}
cpu_index=${TORCH_CPU_INDEX:-https://download.pytorch.org/whl/cpu}
pin=$(sed -n 's/^\(torch==.*\)$/\1/p' "$(dirname "$0")/../requirements.txt")
report=$(mktemp)
trap 'rm -f "$report"' EXIT

brings_cuda() { grep -qE '"name": *"(nvidia-|cuda-|triton)' "$report"; }

# Exit status: 0 installed, 1 not to be had with these options, 2 refused for its CUDA packages.
install_with() {
    "$python" -m pip install --quiet --dry-run --report "$report" "$@" "$pin" >/dev/null 2>&1 || return 1
    if brings_cuda && [ "${ALLOW_CUDA:-0}" != 1 ]; then return 2; fi
    "$python" -m pip install --quiet "$@" "$pin"
}

if "$python" -m pip show --quiet torch 2>/dev/null; then exit 0; fi
if install_with --timeout 10 --retries 0 --index-url "$cpu_index"; then exit 0; fi
status=0
install_with || status=$?
case $status in
    0) ;;
    2)
        echo "install_torch: $("$python" -V) gets $pin only with gigabytes of CUDA packages here, so it is not installed." >&2
        echo "  Make $cpu_index reachable, set TORCH_CPU_INDEX to a mirror of it," >&2
        echo "  or run again with ALLOW_CUDA=1 to take the CUDA build." >&2
        exit 1 ;;
    *)
        echo "install_torch: pip finds no $pin for $("$python" -V); its own words:" >&2
        "$python" -m pip install --quiet --dry-run "$pin" >&2 || true
        exit 1 ;;
esac
