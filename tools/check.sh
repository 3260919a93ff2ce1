#!/bin/sh
# Installs what is missing, builds, runs all tests: style first, then everything on PoCL, then the device tests on
# Intel's runtime for CPUs where it is installed. The last line is "N passed, M failed".
# The build folder is $OCLNN_BUILD or ./build.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${OCLNN_BUILD:-build}
extra=0
logs=

finish() {
    python3 tools/count_tests.py "$extra" $logs
    exit $?
}
broken() {
    echo "check: $*" >&2
    extra=$((extra + 1))
    finish
}
# run NAME MESON-TEST-OPTIONS...
run() {
    name=$1
    shift
    log=$build/meson-logs/$name.json
    rm -f "$log"
    echo "== $name"
    # A run that failed without a failed test to show for it counts as one.
    meson test -C "$build" --no-rebuild --print-errorlogs --logbase "$name" "$@" ||
        grep -qE '"result": "(FAIL|ERROR|TIMEOUT|INTERRUPT|UNEXPECTEDPASS)"' "$log" 2>/dev/null ||
        extra=$((extra + 1))
    logs="$logs $log"
}

sh tools/install_deps.sh || broken "a package is missing"
[ -e "$build/build.ninja" ] || meson setup "$build" || broken "meson setup failed"
build=$(cd "$build" && pwd)
ninja -C "$build" build.ninja >/dev/null || broken "meson could not configure again: run meson setup --reconfigure $build"
run style --suite style
ninja -C "$build" --quiet || broken "the build failed"

# Only the device under test is visible, whatever else the machine has.
icd=$build/icd
mkdir -p "$icd/pocl" "$icd/intel"
pocl=$(ls /etc/OpenCL/vendors/pocl*.icd 2>/dev/null | head -n 1)
[ -n "$pocl" ] || broken "PoCL is not registered as an OpenCL platform"
cp "$pocl" "$icd/pocl/pocl.icd"
OCL_ICD_VENDORS=$icd/pocl
export OCL_ICD_VENDORS
run pocl --no-suite style --no-suite figures

intel=${XDG_CACHE_HOME:-${HOME:-}/.cache}/oclnn-deps/intel-opencl
if [ -e "$intel/vendors/intel-cpu.icd" ]; then
    cp "$intel/vendors/intel-cpu.icd" "$icd/intel/"
    OCL_ICD_VENDORS=$icd/intel
    LD_LIBRARY_PATH=$intel/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
    run intel --suite device
else
    echo "check: no second OpenCL implementation here; the device tests ran on PoCL only"
fi
finish
