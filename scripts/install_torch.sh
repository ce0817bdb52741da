#!/bin/sh
# Install the torch of requirements-torch.txt, a CPU build with a known hash, into the environment of the given python:
#
#   scripts/install_torch.sh [PYTHON]
#
# First from PyTorch's own CPU index where that answers, else from wherever this machine's pip is set up
# to look. What it depends on is in requirements.lock. ALLOW_ANY_HASH=1 takes the same version where its hash is
# another. On Linux a plain torch is the CUDA build, gigabytes of it; ALLOW_CUDA=1 takes it where there is no other.
set -eu

python=${1:-python3}
cpu_index=${TORCH_CPU_INDEX:-https://download.pytorch.org/whl/cpu}
locked=$(dirname "$0")/../requirements-torch.txt
version=$(sed -n 's/^torch==\([0-9.]*\)+cpu .*/\1/p' "$locked")

case $("$python" -c 'from importlib.metadata import version; print(version("torch"))' 2>/dev/null || true) in
    "$version" | "$version"+*) exit 0 ;;
esac
# Twice quiet is errors only. The first error is kept back, since the second place may do.
install() { "$python" -m pip install --quiet --quiet "$@"; }
install_locked() { install --require-hashes --no-deps "$@" -r "$locked"; }
if install_locked --timeout 15 --retries 2 --index-url "$cpu_index" 2>/dev/null; then exit 0; fi
if install_locked; then exit 0; fi
if [ "${ALLOW_ANY_HASH:-0}" = 1 ]; then
    install --no-deps --index-url "$cpu_index" "torch==$version" && exit 0
fi
if [ "${ALLOW_CUDA:-0}" = 1 ]; then install "torch==$version" && exit 0; fi
echo "install_torch: $("$python" -V) gets no CPU build of torch $version with a known hash: $cpu_index does not" >&2
echo "  answer or has none, nor has what pip is set up to use. Make that address reachable, set TORCH_CPU_INDEX to a" >&2
echo "  mirror of it, or run again with ALLOW_ANY_HASH=1 to take what it has of this version, or ALLOW_CUDA=1 to take" >&2
echo "  any build, gigabytes of CUDA packages included." >&2
exit 1
