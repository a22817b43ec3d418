#!/usr/bin/env bash
# Compiles every CUDA kernel source ahead of time, into the PTX files that are committed beside them (compressed: they
# are 200,000 lines that nobody reads). They serve machines without NVRTC. Run it after a change to a source, with nvcc
# of CUDA 13.0.
#
#   ptx.sh [folder for the result]
#
# nvcc writes the newest version of the PTX language, which older drivers refuse. The kernels need nothing of it, so the
# version is lowered to that of the target: compute_75 and 6.3 (CUDA 10), or what the source's first line asks for, as in
# "// target: compute_80 ptx 7.0". PtxTest assembles the result, which would fail on an instruction of a later version.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../resources/org/diffusionrpo/kernels/cuda"
out=${1:-.}

compile() {
  local name=${1%.cu} target=compute_75 version=6.3
  if [[ $(head -n 1 "$1") =~ ^//\ target:\ (compute_[0-9]+)\ ptx\ ([0-9.]+) ]]; then
    target=${BASH_REMATCH[1]} version=${BASH_REMATCH[2]}
  fi
  {
    echo "// SHA-256 of common.cuh and $1: $(cat common.cuh "$1" | sha256sum | cut -d ' ' -f 1)"
    nvcc -std=c++17 -ptx -arch="$target" -include common.cuh -o - "$1" | sed "s/^\.version .*/.version $version/"
  } | gzip -9n > "$out/$name.ptx.gz.new"
  mv "$out/$name.ptx.gz.new" "$out/$name.ptx.gz"
}

for source in *.cu; do
  compile "$source"
done
