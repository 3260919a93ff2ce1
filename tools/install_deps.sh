#!/bin/sh
# Installs what oclnn needs to build and test and is missing, by package name; silent when nothing is.
# What only some tests use is optional: what cannot be installed of it is named, and those tests skip. OCLNN_NO_INTEL=1 leaves
# out the second OpenCL implementation for CPUs, OCLNN_NO_CHECKERS=1 the Python packages that judge exported files.
set -u
needed="meson ninja-build pkg-config gcc g++ libc6-dev binutils
    opencl-headers ocl-icd-opencl-dev libclblast-dev pocl-opencl-icd
    libjansson-dev libprotobuf-c-dev protobuf-c-compiler libonnx-dev libturbojpeg0-dev libpng-dev libzip-dev
    zlib1g-dev libxxhash-dev libcmocka-dev python3 python3-numpy"
optional="clang clang-format mesa-opencl-icd oclgrind clinfo libonnx-testdata scdoc python3-venv"

say() { echo "install_deps: $*" >&2; }

# missing_of PACKAGE...: those that are not installed
missing_of() {
    for package in "$@"; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)
        [ "$state" = installed ] || printf '%s ' "$package"
    done
}

apt_install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        say "not a Debian system; these Debian packages' counterparts are needed:" $needed "; useful:" $optional
        return 0
    fi
    missing=$(missing_of $needed)
    useful=$(missing_of $optional)
    [ -n "$missing$useful" ] || return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            say "neither root nor sudo is there; as root, run: apt-get install $missing$useful"
            [ -z "$missing" ]
            return
        fi
        as_root="sudo"
    fi
    say "installing $missing$useful"
    $as_root apt-get update -qq || say "apt-get update failed; going on with the lists that are there"
    [ -z "$missing" ] || apt_install $missing || { say "apt-get could not install $missing"; return 1; }
    [ -z "$useful" ] || apt_install $useful && return 0
    for package in $useful; do
        apt_install "$package" || say "$package could not be installed; tests that use it will skip"
    done
}

# Intel's OpenCL runtime for CPUs is a Python package; a private folder keeps it and its ICD file.
install_intel() {
    [ -z "${OCLNN_NO_INTEL:-}" ] && [ "$(uname -m)" = x86_64 ] && [ -n "${XDG_CACHE_HOME:-${HOME:-}}" ] || return 0
    folder=${XDG_CACHE_HOME:-$HOME/.cache}/oclnn-deps/intel-opencl
    [ -e "$folder/vendors/intel-cpu.icd" ] && return 0
    say "installing Intel's OpenCL runtime for CPUs (optional)"
    mkdir -p "$folder" || return 0
    if python3 -m venv "$folder" >"$folder/install.log" 2>&1 &&
        "$folder/bin/pip" install -q --disable-pip-version-check intel-opencl-rt intel-cmplr-lib-rt \
            >>"$folder/install.log" 2>&1 &&
        [ -e "$folder/lib/libintelocl.so" ]; then
        # The package's own ICD loader would hide the system's wherever lib/ is searched first.
        mkdir -p "$folder/loader" "$folder/vendors"
        for loader in "$folder"/lib/libOpenCL.so*; do
            [ -e "$loader" ] && mv -f "$loader" "$folder/loader/"
        done
        echo "$folder/lib/libintelocl.so" >"$folder/vendors/intel-cpu.icd"
    else
        say "it could not be installed (see $folder/install.log); going on without"
    fi
}

# Python packages that judge what oclnn writes, in a private folder: ONNX's checker, ONNX Runtime, TensorBoard.
install_checkers() {
    [ -z "${OCLNN_NO_CHECKERS:-}" ] && [ -n "${XDG_CACHE_HOME:-${HOME:-}}" ] || return 0
    folder=${XDG_CACHE_HOME:-$HOME/.cache}/oclnn-deps/checkers
    [ -e "$folder/complete" ] && return 0
    say "installing onnx, onnxruntime and tensorboard for tests (optional)"
    mkdir -p "$folder" || return 0
    if python3 -m venv "$folder" >"$folder/install.log" 2>&1 &&
        "$folder/bin/pip" install -q --disable-pip-version-check onnx onnxruntime tensorboard \
            >>"$folder/install.log" 2>&1; then
        touch "$folder/complete"
    else
        say "they could not be installed (see $folder/install.log); going on without"
    fi
}

install_packages || exit 1
install_intel
install_checkers
exit 0
