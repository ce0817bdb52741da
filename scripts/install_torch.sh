#!/bin/sh
# Install the pinned torch as a CPU build into the environment of the given python:
#
#   scripts/install_torch.sh [PYTHON]
#
# First from PyTorch's own CPU index where that answers, else from wherever this machine's pip is set up
# to look. On Linux a plain torch is the CUDA build, gigabytes of it, and only the version's ending +cpu
# makes sure of the other; so nothing but that is installed there unless ALLOW_CUDA=1 asks for what there is.
set -eu

python=${1:-python3}
cpu_index=${TORCH_CPU_INDEX:-https://download.pytorch.org/whl/cpu}
pin=$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' "$(dirname "$0")/../requirements.txt")
version=${pin#torch==}
cpu_pin=$pin
if [ "$("$python" -c 'import sys; print(sys.platform)')" = linux ]; then cpu_pin=$pin+cpu; fi

case $("$python" -c 'from importlib.metadata import version; print(version("torch"))' 2>/dev/null || true) in
    "$version" | "$version"+*) exit 0 ;;
esac
# Twice quiet is errors only. The first error is kept back, since the second place may do.
install() { "$python" -m pip install --quiet --quiet "$@"; }
if install --timeout 15 --retries 2 --index-url "$cpu_index" "$cpu_pin" 2>/dev/null; then exit 0; fi
if install "$cpu_pin"; then exit 0; fi
if [ "${ALLOW_CUDA:-0}" = 1 ]; then install "$pin" && exit 0; fi
echo "install_torch: $("$python" -V) gets no CPU build of $pin here: $cpu_index does not answer or" >&2
echo "  has none, nor has what pip is set up to use. Make that address reachable, set TORCH_CPU_INDEX to a" >&2
echo "  mirror of it, or run again with ALLOW_CUDA=1 to take any build, gigabytes of CUDA packages included." >&2
exit 1
