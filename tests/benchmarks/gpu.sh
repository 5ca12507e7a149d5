#!/usr/bin/env bash
# Measures on a machine with an NVIDIA GPU, PyTorch, and no network: gpu.sh FOLDER OUT [PART…]
#
# FOLDER has what that machine lacks:
#   site/       packages: whisper, more_itertools, pydantic, pydantic_core, annotated_types and
#               typing_inspection (and onnxruntime, numba, tiktoken and transformers, if need be)
#   base.pt     OpenAI's base, for the part "real"
#   speech.npz  python -m tests.benchmarks.gpu_speech FOLDER 6, where ../shared and ffmpeg are
# OUT/gpu.json has the figures, of each part as soon as it is done. All take about seven minutes.
set -euo pipefail
folder=$(realpath "$1") out=$(realpath "$2")
cd "$(dirname "$0")/../.."
export PYTHONPATH="transcriber:.:$folder/site" PYTHONUNBUFFERED=1
parts=("${@:3}")
[ ${#parts[@]} -gt 0 ] || parts=(machine attention real large turbo full peer peer_compiled)
for part in "${parts[@]}"; do # a process each: one that crashes costs only its own figures
  python3 -m tests.benchmarks.gpu_machine "$out" "$folder" "$part" || echo "$part: exit code $?"
done
