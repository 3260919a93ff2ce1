#!/bin/sh
# Installs what is missing, builds, runs oclnn-bench over every OpenCL device found, and names the digits on ten pictures.
# quickstart.sh [OPTIONS OF oclnn-bench]; the build folder is $OCLNN_BUILD or ./build.
set -eu
start=$PWD
cd "$(dirname "$0")/.."
build=${OCLNN_BUILD:-build}
OCLNN_NO_INTEL=1 OCLNN_NO_CHECKERS=1 sh tools/install_deps.sh
[ -e "$build/build.ninja" ] || meson setup "$build" >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
rm -f "$build.log"
ninja -C "$build" --quiet >&2
bench=$(cd "$build" && pwd)/tools/oclnn-bench
[ -x "$bench" ] || { echo "quickstart: oclnn-bench was not built (see meson's messages: meson setup --reconfigure $build)" >&2; exit 1; }
digits=$PWD/tools/digits/recognise.sh
cd "$start"
code=0
"$bench" "$@" || code=$?
[ "$code" -ge 2 ] || sh "$digits" "$(dirname "$bench")" || code=1
exit "$code"
