#!/bin/sh
# Correctness and speed on a machine with a GPU that has neither network nor our packages.
#   sh tools/gpu-check.sh pack    here: builds, and packs tools, tests, the libraries they need and test data into
#                                 gpu-check/bundle.tar.xz (ignored by git, below 50 MB); carry gpu-check/ with the working tree.
#   sh tools/gpu-check.sh [PART]...  there: devices selftest tests models tools bench transfers; by default all of them.
#   sh tools/gpu-check.sh keep [FOLDER]   here again: FOLDER (default bench/gpu) becomes bench/gpu-DEVICE.md, with a heading.
# Nothing begins or goes on after GPU_CHECK_SECONDS (540): what was left out is named, and can be asked for as a PART of
# another call. report.txt, failures.txt, bench.json, train.json and transfers-*.json go to ${OUT:-bench/gpu}. The device is ${OCLNN_DEVICE:-gpu}.
# Exit code: 0 everything right, 1 something failed or was left out, 2 usage, 3 no such OpenCL device.
set -u
cd "$(dirname "$0")/.." || exit 1
bundle=gpu-check
data=../shared/data
parts="devices selftest tests models tools bench transfers"
# Large, and nothing in them that the others lack.
left_out="mobilenet_v2 deeplab_v3"

die() {
    echo "gpu-check: $*" >&2
    exit 1
}

# ---- here ----

copy_data() {
    for name in $(ls "$data/models"); do
        case " $left_out " in
        *" $name "*) ;;
        *) mkdir -p "$1/models" && cp -r "$data/models/$name" "$1/models/" ;;
        esac
    done
    mkdir -p "$1/datasets/cifar10" "$1/datasets/mnist" "$1/images"
    cp "$data"/datasets/cifar10/*exact* "$1/datasets/cifar10/"
    cp "$data"/datasets/mnist/t10k* "$1/datasets/mnist/"
    cp -r "$data"/images/. "$1/images/"
    cp -r "$data/labels" "$1/"
}

pack() {
    build=${OCLNN_BUILD:-build-gpu}
    [ -f "$build/build.ninja" ] || meson setup "$build" --buildtype=release >/dev/null || die "meson setup failed"
    ninja -C "$build" --quiet || die "the build failed"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/exe" "$work/lib" "$work/test"
    for name in info run bench train; do
        cp "$build/tools/oclnn-$name" "$work/exe/" || die "oclnn-$name is not built"
    done
    find "$build/lib" -maxdepth 1 -name 'liboclnn.so*' ! -type d -exec cp -P {} "$work/lib/" \;
    # Suites are named PROJECT:SUITE; scripts have an interpreter in front and are taken from the working tree.
    for name in $(meson introspect --tests "$build" | python3 -c '
import json, sys
print("\n".join(sorted({t["cmd"][0] for t in json.load(sys.stdin) if "device" in [s.split(":")[-1] for s in t["suite"]]})))'); do
        case $name in
        */test/test_*) cp "$name" "$work/test/" ;;
        esac
    done
    ls "$work"/test/test_* >/dev/null 2>&1 || die "no test programs were found in $build"
    # Every library outside the C library's own, so that nothing has to be installed there.
    ldd "$work"/exe/* "$work"/test/* | awk '$3 ~ /^\// {print $3}' | sort -u |
        grep -v -E '/(libc|libm|libdl|librt|libpthread|ld-linux[^/]*)\.so|liboclnn' |
        while read -r lib; do cp -L "$lib" "$work/lib/"; done
    strip "$work"/exe/* "$work"/test/* 2>/dev/null
    [ -d "$data/models" ] && copy_data "$work/shared/data"
    mkdir -p "$bundle"
    # Programs first: they share most of their bytes, and the packer looks back a few MB only.
    (cd "$work" && tar cf - test exe lib $(ls | grep -x shared)) | xz -T2 -6 >"$bundle/bundle.tar.xz" || die "packing failed"
    ls -l "$bundle/bundle.tar.xz"
}

keep() {
    from=${1:-bench/gpu}
    [ -e "$from/report.txt" ] || die "$from has no report.txt"
    device=$(sed -n 's/^device: //p' "$from/report.txt" | head -n 1 | tr -cs 'A-Za-z0-9\n' '-')
    {
        printf '# %s\n\n`sh tools/gpu-check.sh`, %s.\n\n```\n' "$(sed -n 's/^device: //p' "$from/report.txt" | head -n 1)" \
            "$(git log -1 --format='commit %h, %as' 2>/dev/null)"
        cat "$from/report.txt"
        printf '```\n'
    } >"bench/gpu-${device%-}.md"
    echo "bench/gpu-${device%-}.md"
}

# ---- there ----

# A driver that no .icd file names: the loader is told through a folder of ours.
find_driver() {
    [ -z "${OCL_ICD_VENDORS:-}" ] || return 0
    vendors=$work/vendors
    mkdir -p "$vendors"
    cp /etc/OpenCL/vendors/*.icd "$vendors/" 2>/dev/null
    for lib in $(ldconfig -p 2>/dev/null | awk '/libnvidia-opencl|libamdocl64|libigdrcl|libpocl\.so/ {print $NF}') \
        /usr/local/*/lib64/lib*opencl*.so.1 /usr/local/*/lib/lib*opencl*.so.1 /usr/lib/*/lib*-opencl.so.1; do
        [ -e "$lib" ] || continue
        grep -qs "$(basename "$lib" | sed 's/\.so.*//')" "$vendors"/*.icd || echo "$lib" >"$vendors/$(basename "$lib").icd"
        case $lib in
        /usr/local/*) libraries=$libraries:$(dirname "$lib") ;; # the driver's other parts, if nobody told the loader
        esac
    done
    export OCL_ICD_VENDORS="$vendors"
}

unpack() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    xz -dc "$bundle/bundle.tar.xz" 2>/dev/null | tar xf - -C "$work" 2>/dev/null
    [ -x "$work/exe/oclnn-info" ] || python3 -m tarfile -e "$bundle/bundle.tar.xz" "$work" ||
        die "cannot unpack $bundle/bundle.tar.xz: sh tools/gpu-check.sh pack makes it"
    # Our libraries are for our programs only: Python there has its own.
    libraries=$work/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    find_driver
    mkdir "$work/bin"
    for name in "$work"/exe/*; do
        printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$@"\n' "$libraries" "$name" >"$work/bin/$(basename "$name")"
    done
    chmod +x "$work"/bin/*
    # Tests look for ../shared beside the folder of the source.
    mkdir -p "$work/source"
    cp -r README.md CONTRIBUTING.md test tools bench lib include cl "$work/source/"
}

remaining() {
    echo $((deadline - $(date +%s)))
}

# step LIMIT WHAT COMMAND...: at most LIMIT seconds, and no longer than there is time; what it says goes to the report.
step() {
    limit=$1 what=$2
    shift 2
    left=$(remaining)
    if [ "$left" -lt 5 ]; then
        echo "LEFT OUT $what: no time"
        failed=1
        return 0
    fi
    [ "$left" -lt "$limit" ] && limit=$left
    timeout -k 5 "$limit" "$@"
    code=$?
    case $code in
    0) echo "ok $what" ;;
    77) echo "skipped $what" ;;
    124 | 137)
        echo "TIMEOUT $what ($limit s)"
        failed=1
        ;;
    *)
        echo "FAILED $what (exit status $code)"
        failed=1
        ;;
    esac
    return "$code"
}

# One program or script on its own, called by xargs: its verdict in one line, more where it failed.
one() {
    log=$work/log.$$
    failed=0
    case $1 in
    *.py) step "$one_limit" "$(basename "$1")" python3 "$1" >"$log" 2>&1 ;;
    *) step "$one_limit" "$(basename "$1")" env LD_LIBRARY_PATH="$libraries" "$1" >"$log" 2>&1 ;;
    esac
    grep -E '^(ok  |MISS|--) ' "$log" # figures
    tail -n 1 "$log"
    [ "$failed" = 0 ] || grep -q '^LEFT OUT' "$log" || { echo "== $(basename "$1")"; tail -n 60 "$log"; } >>"$out/failures.txt"
    rm -f "$log"
    return "$failed"
}

# all LIMIT FILE...: several at a time.
all() {
    one_limit=$1
    shift
    export one_limit work out deadline libraries OCLNN_GPU_CHECK_ONE=1
    printf '%s\n' "$@" | xargs -n 1 -P "$jobs" sh tools/gpu-check.sh >"$work/verdicts" 2>&1 || failed=1
    grep -v '^LEFT OUT' "$work/verdicts"
    late=$(grep -c '^LEFT OUT' "$work/verdicts")
    [ "$late" = 0 ] || echo "LEFT OUT $late of $#, no time:" $(sed -n 's/^LEFT OUT \(.*\): .*/\1/p' "$work/verdicts")
}

bench() {
    step 60 "oclnn-bench" oclnn-bench -d "$OCLNN_DEVICE" --min-time 1s -o md
    step 150 "oclnn-bench, batches" oclnn-bench resnet50 resnet18 mobilenet-v2 --batch 1,64 --min-time 1s -o json --per-layer \
        --output "$out/bench.json"
    step 100 "oclnn-bench, training" oclnn-bench resnet18-cifar lenet5 --train --batch 64 --min-time 1s -o json --output \
        "$out/train.json"
    python3 -c 'import torch' 2>/dev/null &&
        step 120 "beside PyTorch" python3 bench/compare_peers.py -d "$OCLNN_DEVICE" --engines torch --bench "$work/bin/oclnn-bench" \
            --seconds 1 --rounds 3 resnet50 mobilenet-v2
    return 0
}

# Pinned memory and none, in turn, where transfers matter: quick networks on images.
transfers() {
    for staging in on off on off; do
        file=$out/transfers-$staging.json
        step 60 "oclnn-bench, staging $staging" env OCLNN_STAGING=$staging oclnn-bench squeezenet mobilenet-v2 --batch 1,32 \
            --min-time 1s -o json --output "$file" &&
            python3 -c '
import json, sys
for row in json.load(open(sys.argv[1]))["results"]:
    print("ok  staging %s, %s, batch %d: %.3f ms a run, of which transfers %.3f; %.3f to enqueue it; %.3f with two in flight; "
          "round trip %.3f; %.1f MB of staging" % (sys.argv[2], row["model"], row["batch"], row["time_ms"]["median"],
          row.get("transfer_ms", 0), row.get("enqueue_ms", 0), row.get("pipelined_ms", 0), row.get("round_trip_ms", 0),
          row["bytes"]["staging"] / 1e6))' "$file" "$staging"
    done
    return 0
}

run_part() {
    echo "== $1"
    case $1 in
    devices) step 60 "oclnn-info" oclnn-info ;;
    selftest) step 240 "oclnn-info --self-test" oclnn-info --self-test -q ;;
    tests) all 120 "$work"/test/test_* ;;
    models) all 240 test/e2e/models.py test/e2e/figures.py test/e2e/passes.py ;;
    tools) all 240 test/e2e/usage.py test/e2e/export.py test/e2e/train.py test/e2e/photos.py ;;
    bench) bench ;;
    transfers) transfers ;;
    esac
}

check() {
    deadline=$(($(date +%s) + ${GPU_CHECK_SECONDS:-540}))
    out=${OUT:-bench/gpu}
    mkdir -p "$out" || exit 1
    out=$(cd "$out" && pwd)
    rm -f "$out/report.txt" "$out/failures.txt"
    unpack
    jobs=$(($(nproc) / 2))
    [ "$jobs" -ge 1 ] || jobs=1
    export OCLNN_DEVICE="${OCLNN_DEVICE:-gpu}" OCLNN_TOOLS="$work/bin" OCLNN_SOURCE_ROOT="$work/source"
    export PATH="$work/bin:$PATH" XDG_CACHE_HOME="${XDG_CACHE_HOME:-$work/cache}" PYTHONDONTWRITEBYTECODE=1
    failed=0
    # The device's line is of the program that the driver's own chatter may stand around.
    if timeout 60 oclnn-bench "relu x=1x8x5x5" -d "$OCLNN_DEVICE" --min-time 1ms -o json >"$work/first.txt" 2>&1; then
        name=$(sed -n 's/^ *"device": "\(.*\)",*$/\1/p' "$work/first.txt" | head -n 1)
    else
        { echo "gpu-check: no device \"$OCLNN_DEVICE\" that computes"; cat "$work/first.txt"; timeout 60 oclnn-info --list-devices; } 2>&1 |
            tee "$out/report.txt"
        exit 3
    fi
    echo "device: $name" >"$out/report.txt"
    for part in "$@"; do
        run_part "$part"
    done >>"$out/report.txt" 2>&1
    { [ "$failed" = 0 ] && echo "== all right" || echo "== not all right"; } >>"$out/report.txt"
    cat "$out/report.txt"
    [ ! -e "$out/failures.txt" ] || { echo "== what failed"; tail -c 6000 "$out/failures.txt"; }
    exit "$failed"
}

if [ -n "${OCLNN_GPU_CHECK_ONE:-}" ]; then
    one "$1"
    exit
fi
case ${1:-} in
pack) pack ;;
keep) keep "${2:-}" ;;
*)
    for part in "$@"; do
        case " $parts " in
        *" $part "*) ;;
        *)
            echo "usage: gpu-check.sh [pack | keep [FOLDER] | PART...] with PART one of: $parts" >&2
            exit 2
            ;;
        esac
    done
    check ${*:-$parts}
    ;;
esac
