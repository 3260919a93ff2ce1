#!/bin/sh
# Installs what is missing, builds, runs all tests: style first, then everything on PoCL, the pure tests and the tools built
# with sanitizers, then the device tests on Intel's runtime for CPUs where it is installed. The last line is
# "N passed, M failed". The build folder is $OCLNN_BUILD or ./build; the one with sanitizers lies beside it. With
# OCLNN_CHECK_ALL=1 the tests of our own work, which need only one OpenCL implementation, run on Intel's runtime too.
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
# run NAME MESON-TEST-OPTIONS... in the folder $folder
run() {
    name=$1
    shift
    log=$folder/meson-logs/$name.json
    rm -f "$log"
    echo "== $name"
    # A run that failed without a failed test to show for it counts as one.
    meson test -C "$folder" --no-rebuild --print-errorlogs --logbase "$name" "$@" ||
        grep -qE '"result": "(FAIL|ERROR|TIMEOUT|INTERRUPT|UNEXPECTEDPASS)"' "$log" 2>/dev/null ||
        extra=$((extra + 1))
    logs="$logs $log"
}

sh tools/install_deps.sh || broken "a package is missing"
[ -e "$build/build.ninja" ] || meson setup "$build" || broken "meson setup failed"
build=$(cd "$build" && pwd)
folder=$build
ninja -C "$build" build.ninja >/dev/null || broken "meson could not configure again: run meson setup --reconfigure $build"
run style --suite style
ninja -C "$build" --quiet || broken "the build failed"

# Who judges exported networks and logs, if no other Python is named.
checkers=${XDG_CACHE_HOME:-${HOME:-}/.cache}/oclnn-deps/checkers
if [ -z "${OCLNN_PEER_PYTHON:-}" ] && [ -e "$checkers/complete" ]; then
    OCLNN_PEER_PYTHON=$checkers/bin/python3
    export OCLNN_PEER_PYTHON
fi

# Only the device under test is visible, whatever else the machine has.
icd=$build/icd
mkdir -p "$icd/pocl" "$icd/intel"
pocl=$(ls /etc/OpenCL/vendors/pocl*.icd 2>/dev/null | head -n 1)
[ -n "$pocl" ] || broken "PoCL is not registered as an OpenCL platform"
cp "$pocl" "$icd/pocl/pocl.icd"
OCL_ICD_VENDORS=$icd/pocl
export OCL_ICD_VENDORS
run pocl --no-suite style --no-suite figures

# The same tests with AddressSanitizer, leak checking and UndefinedBehaviorSanitizer; one cache of compiled kernels for both.
folder=$build-sanitized
[ -e "$folder/build.ninja" ] ||
    meson setup "$folder" -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 >/dev/null ||
    broken "meson setup failed for $folder"
if ninja -C "$folder" --quiet pure-tests; then
    rm -rf "$folder/cache"
    ln -s "$build/cache" "$folder/cache"
    ASAN_OPTIONS=halt_on_error=1:abort_on_error=0:detect_leaks=1
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    LSAN_OPTIONS=suppressions=$PWD/tools/lsan.supp:print_suppressions=0
    export ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
    run sanitized --suite pure
    run sanitized_tools --suite tools
else
    extra=$((extra + 1))
fi
folder=$build

intel=${XDG_CACHE_HOME:-${HOME:-}/.cache}/oclnn-deps/intel-opencl
if [ -e "$intel/vendors/intel-cpu.icd" ]; then
    cp "$intel/vendors/intel-cpu.icd" "$icd/intel/"
    OCL_ICD_VENDORS=$icd/intel
    LD_LIBRARY_PATH=$intel/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
    run intel --suite device ${OCLNN_CHECK_ALL:+--suite once}
    # Khronos's own ICD loader in place of the system's: finding devices, running models.
    if [ -e "$intel/loader/libOpenCL.so.1" ]; then
        OCL_ICD_VENDORS=$icd/pocl
        LD_LIBRARY_PATH=$intel/loader:$LD_LIBRARY_PATH
        case $(ldd "$build/test/test_runtime_device" | awk '/libOpenCL\.so/ {print $3}') in
        "$intel"/loader/*) ;;
        *) echo "check: the tests do not load the other ICD loader" >&2 && extra=$((extra + 1)) ;;
        esac
        run khronos_loader --suite runtime --suite api
    fi
else
    echo "check: no second OpenCL implementation here; the device tests ran on PoCL only"
fi
finish
