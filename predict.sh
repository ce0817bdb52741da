#!/bin/sh
# The container's entry point, as the challenge calls it: sh predict.sh. Options of `swinlite predict` may follow.
cd "$(dirname "$0")" || exit 2
exec python -m app predict --input /workspace/inputs --output /workspace/outputs "$@"
