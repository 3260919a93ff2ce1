#!/bin/sh
# check_headers.sh GENERATED: compiles each public header alone, as C11 and as C++17. GENERATED holds oclnn/config.h.
set -u
cd "$(dirname "$0")/.." || exit 1
generated=${1:-build/include}
failed=0
command -v "${CXX:-c++}" >/dev/null 2>&1 || echo "headers: no C++ compiler, checked as C only"
for header in include/oclnn/*.h; do
    [ -e "$header" ] || continue
    name=oclnn/$(basename "$header")
    flags="-Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude -I$generated -DCL_TARGET_OPENCL_VERSION=300"
    echo "#include <$name>" | ${CC:-cc} -x c -std=c11 -Wstrict-prototypes $flags - || { echo "$header:1: fails as C11"; failed=1; }
    if command -v "${CXX:-c++}" >/dev/null 2>&1; then
        echo "#include <$name>" | ${CXX:-c++} -x c++ -std=c++17 $flags - || { echo "$header:1: fails as C++17"; failed=1; }
    fi
done
exit $failed
