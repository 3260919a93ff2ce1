#!/bin/sh
# Correctness and speed on a machine with a GPU that has neither network nor our packages.
#   sh tools/gpu-check.sh pack   here: builds, and puts tools, tests and the shared libraries they need into gpu-check/
#                                (ignored by git); carry that folder with the working tree.
#   sh tools/gpu-check.sh        there: looks for an OpenCL driver, runs self-test, device tests and benchmarks; the
#                                report goes to ${OUT:-bench/gpu}.
# Exit code: 0 everything right, 1 something failed, 3 no OpenCL device was found.
set -eu
cd "$(dirname "$0")/.."
bundle=gpu-check

pack() {
    build=${OCLNN_BUILD:-build-gpu}
    [ -f "$build/build.ninja" ] || meson setup "$build" --buildtype=release >/dev/null
    ninja -C "$build" >/dev/null
    rm -rf "$bundle"
    mkdir -p "$bundle/bin" "$bundle/lib" "$bundle/test"
    cp "$build"/tools/oclnn-info "$build"/tools/oclnn-run "$build"/tools/oclnn-bench "$bundle/bin/"
    cp -P "$build"/lib/liboclnn.so* "$bundle/lib/"
    for name in $(meson introspect --tests "$build" |
        python3 -c 'import json,sys; [print(t["cmd"][0]) for t in json.load(sys.stdin) if "device" in t["suite"]]'); do
        [ ! -x "$name" ] || cp "$name" "$bundle/test/"
    done
    # Every library outside the C library's own, so that nothing has to be installed there.
    ldd "$bundle"/bin/* "$bundle"/test/* | awk '$3 ~ /^\// {print $3}' | sort -u |
        grep -v -E '/(libc|libm|libdl|librt|libpthread|ld-linux[^/]*)\.so|liboclnn' |
        while read -r lib; do cp -L "$lib" "$bundle/lib/"; done
    du -sh "$bundle"
}

# A driver that no .icd file names: the loader is told through a folder of ours.
find_driver() {
    [ -z "${OCL_ICD_VENDORS:-}" ] || return 0
    ls /etc/OpenCL/vendors/*.icd >/dev/null 2>&1 && return 0
    for lib in $(ldconfig -p | awk '/libnvidia-opencl|libamdocl64|libigdrcl|libpocl/ {print $NF}') \
        /usr/local/*/lib64/lib*opencl*.so.1 /usr/lib/*/lib*-opencl.so.1; do
        [ -e "$lib" ] || continue
        mkdir -p "$out/vendors"
        echo "$lib" >"$out/vendors/$(basename "$lib").icd"
        export OCL_ICD_VENDORS="$PWD/$out/vendors"
    done
}

check() {
    out=${OUT:-bench/gpu}
    mkdir -p "$out"
    export LD_LIBRARY_PATH="$PWD/$bundle/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$PWD/$bundle/cache}"
    find_driver
    report=$out/report.txt
    failed=0
    {
        echo "== devices"
        "$bundle/bin/oclnn-info" || exit 3
        echo "== self-test"
        "$bundle/bin/oclnn-info" --self-test || failed=1
        echo "== tests"
        for t in "$bundle"/test/*; do
            code=0
            timeout 120 "$t" >"$out/last-test.txt" 2>&1 || code=$?
            case $code in
            0) echo "ok $(basename "$t")" ;;
            77) echo "skipped $(basename "$t")" ;;
            *)
                echo "FAILED $(basename "$t") (exit $code)"
                tail -n 20 "$out/last-test.txt"
                failed=1
                ;;
            esac
        done
        echo "== benchmarks"
        "$bundle/bin/oclnn-bench" --min-time 1s -o md || failed=1
        "$bundle/bin/oclnn-bench" resnet50 resnet18 mobilenet-v2 --batch 1,64 -d gpu --min-time 1s -o json \
            --output "$out/bench.json" || failed=1
        if python3 -c 'import torch' 2>/dev/null; then
            echo "== beside PyTorch"
            PATH="$PWD/$bundle/bin:$PATH" python3 bench/compare_peers.py --help >/dev/null 2>&1 &&
                PATH="$PWD/$bundle/bin:$PATH" python3 bench/compare_peers.py -d gpu || true
        fi
        exit $failed
    } >"$report" 2>&1 && code=0 || code=$?
    rm -f "$out/last-test.txt"
    cat "$report"
    exit "$code"
}

case ${1:-check} in
pack) pack ;;
check) check ;;
*)
    echo "usage: gpu-check.sh [pack]" >&2
    exit 2
    ;;
esac
