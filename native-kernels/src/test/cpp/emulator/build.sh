#!/usr/bin/env bash
# Builds the emulated CUDA libraries: build.sh OUTPUT JAVA_HOME KERNEL_SOURCES JCUDA_NATIVES_JAR...
#   OUTPUT/lib/lib{cuda.so.1,cublas.so.12,cudnn.so.9,nvrtc.so.12}   the four libraries
#   OUTPUT/lib/kernel/                                              what the emulated NVRTC needs to compile
#   OUTPUT/lib/kernels/*.so                                         the files of KERNEL_SOURCES, compiled for the CPU
#   OUTPUT/missing.txt                                              instead of all that, why it could not be built
# The natives are only read for the names of the functions that they call: each gets at least a stub.
set -euo pipefail

out=$1 java=$2 kernels=$3
shift 3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lib=$out/lib

missing() {
  rm -rf "$lib" "$out/stamp"
  mkdir -p "$out"
  echo "$1" > "$out/missing.txt"
  echo "CUDA emulator not built, its tests are skipped: $1"
  exit 0
}

[[ $(uname -s)-$(uname -m) == Linux-x86_64 ]] || missing "needs Linux on x86-64, this is $(uname -s) on $(uname -m)"
for tool in g++ nm objcopy; do
  command -v $tool > /dev/null || missing "needs $tool"
done
[[ -f $java/include/jni.h ]] || missing "needs jni.h, which $java lacks"

# Up to date? The stamp is a hash of all that goes in.
fingerprint() {
  { g++ --version; grep -m1 '^flags' /proc/cpuinfo; echo "$java"; cat "$@"; } | sha256sum
}
mapfile -t sources < <(find "$here" -type f \( -name '*.cpp' -o -name '*.h' -o -name '*.sh' -o -name flags \) | sort)
mapfile -t texts < <(find "$kernels" -maxdepth 1 -type f \( -name '*.cu' -o -name '*.cuh' \) 2> /dev/null | sort)
stamp=$(fingerprint "${sources[@]}" "$@")
kernelStamp=$(fingerprint "${sources[@]}" "${texts[@]}")
if [[ -f $out/stamp && $(cat "$out/stamp") == "$stamp $kernelStamp" ]]; then
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A weak stub for each function that a native of JCuda calls: written functions win when the library is linked.
stubs() { # name of the native, prefix of the functions, function that answers for the stubs
  nm -D --undefined-only "$work/natives/lib/lib$1"-*.so | awk '{ print $2 }' | sed 's/@.*//' | grep -E "^$2" | sort -u |
    awk -v answer="$3" 'BEGIN { print "extern int " answer "(const char*);" }
      { print "__attribute__((weak, visibility(\"default\"))) int " $1 "(void) { return " answer "(\"" $1 "\"); }" }'
}

compile() { # folder or file, compiled to one object each
  for source in "$@"; do
    g++ -std=c++17 -O2 -march=native -fPIC -fvisibility=hidden -Wall -Wextra -Wno-psabi -ffp-contract=fast \
      -I"$java/include" -I"$java/include/linux" -c "$source" \
      -o "$work/$(basename "$(dirname "$source")")-$(basename "$source").o" || return 1
  done
}

buildLibraries() {
  rm -rf "$lib"
  mkdir -p "$lib/kernel/cache" "$lib/kernels"
  mkdir "$work/natives"
  for jar in "$@"; do (cd "$work/natives" && "$java/bin/jar" xf "$jar" lib); done
  stubs JCudaDriver 'cu[A-Z]' emu_unwritten_cuda > "$work/cuda.c"
  stubs JCublas2 cublas emu_unwritten_cublas > "$work/cublas.c"
  stubs JCudnn cudnn emu_unwritten_cudnn > "$work/cudnn.c"
  stubs JNvrtc nvrtc emu_unwritten_nvrtc > "$work/nvrtc.c"
  for name in cuda cublas cudnn nvrtc; do
    gcc -fPIC -fvisibility=hidden -c "$work/$name.c" -o "$work/stubs-$name.o"
  done

  compile "$here"/core/*.cpp "$here"/driver/*.cpp "$here"/control/*.cpp & first=$!
  compile "$here"/cublas/*.cpp "$here"/cudnn/*.cpp "$here"/nvrtc/*.cpp "$here"/device/*.cpp & second=$!
  wait $first
  wait $second

  # JCuda's natives ask for versioned symbols of all but the driver.
  for soname in libcublas.so.12 libcudnn.so.9 libnvrtc.so.12; do
    echo "$soname { global: *; };" > "$work/$soname.map"
  done
  link() { # soname, objects and options
    g++ -shared -Wl,-soname,"$1" -o "$lib/$1" "${@:2}"
  }
  rest() { # soname, stubs
    echo "$work/stubs-$2.o $lib/libcuda.so.1 -Wl,--version-script=$work/$1.map -Wl,-rpath,\$ORIGIN"
  }
  link libcuda.so.1 "$work"/{core,driver,control}-*.o "$work/stubs-cuda.o" -ldl -lpthread
  link libcublas.so.12 "$work"/cublas-*.o $(rest libcublas.so.12 cublas)
  link libcudnn.so.9 "$work"/cudnn-*.o $(rest libcudnn.so.9 cudnn)
  link libnvrtc.so.12 "$work"/nvrtc-{compiler,nvrtc}.cpp.o $(rest libnvrtc.so.12 nvrtc) -ldl
  ld -r -o "$lib/kernel/runtime.o" "$work"/device-*.o
  cp "$here"/device/{abi.h,cuda_emu.h,emu_calls.h,flags} "$lib/kernel/"
  g++ -o "$lib/kernel/build_kernels" "$work"/nvrtc-{compiler,build_kernels}.cpp.o
}

buildKernels() {
  rm -f "$lib"/kernels/*.so
  for text in "${texts[@]}"; do
    [[ $text == *.cu ]] || continue
    cat "$kernels/common.cuh" "$text" > "$work/$(basename "$text")"
  done
  # The largest first, as many at a time as there are processors.
  (cd "$work" && ls -S -- *.cu 2> /dev/null || true) |
    xargs -P "$(nproc)" -I {} "$lib/kernel/build_kernels" "$lib/kernel" "$work/{}" {} "$lib/kernels/{}.so"
}

old=$(cat "$out/stamp" 2> /dev/null || true)
rm -rf "$out/stamp" "$out/kernel-cache" "$out/missing.txt"
mkdir -p "$out"
[[ ${old%% -*} == "${stamp%% -*}" ]] || buildLibraries "$@"
buildKernels
echo "$stamp $kernelStamp" > "$out/stamp"
