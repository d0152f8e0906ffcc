#!/usr/bin/env bash
# Gets a machine ready to build Latchkey, and with --with-tests to test it.
#
# Every step looks first whether there is anything to do, says what it does, and can be run again at
# any time. Nothing is configured for good: what is installed are packages of the system, a target of
# the compiler and npm packages inside this checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

with_tests=false
case "${1:-}" in
    '') ;;
    --with-tests) with_tests=true ;;
    *) fail "usage: scripts/setup.sh [--with-tests]" ;;
esac

WASM=wasm32-unknown-unknown

# --- packages of the system -------------------------------------------------------------------------

packages=()
has cc || packages+=(build-essential)
has node || packages+=(nodejs)
has npm || packages+=(npm)
has curl || packages+=(curl ca-certificates)
if $with_tests; then
    has openssl || packages+=(openssl)
    has chromium || packages+=(chromium)
    # Without a font a screenshot shows boxes.
    [ -d /usr/share/fonts/truetype ] || packages+=(fonts-dejavu-core)
fi
if [ ${#packages[@]} -gt 0 ]; then
    install_packages "${packages[@]}"
else
    done_already "system packages"
fi

# --- the compiler -----------------------------------------------------------------------------------

if has cargo; then
    done_already "Rust compiler ($(rustc --version | cut -d' ' -f2))"
elif installer=$(curl --proto '=https' -sSf --max-time 20 https://sh.rustup.rs 2>/dev/null); then
    step "Installing Rust by rustup into ~/.cargo"
    sh -s -- -y --no-modify-path --profile minimal --component rustfmt,clippy <<< "$installer"
    export PATH="$HOME/.cargo/bin:$PATH"
else
    # Debian keeps a current compiler for building its browsers; it builds servers as well.
    install_packages rustc-web cargo-web
fi
has cargo || fail "There is no cargo. Install Rust (https://rustup.rs) and run this again."

# --- the WebAssembly target -------------------------------------------------------------------------

# The library that every program needs; without it the target is only a name.
target_of() { [ -n "$(find "$("$@" --print sysroot)/lib/rustlib/$WASM/lib" -name 'libstd-*.rlib' 2>/dev/null)" ]; }

build_standard_library() {
    install_packages_missing rustc-web cargo-web rust-web-src rust-web-llvm lld-22
    target_of /usr/bin/rustc && return
    step "Building the standard library for WebAssembly (about a minute)"
    local scratch library
    scratch=$(mktemp -d)
    library=/usr/lib/rustlib/$WASM/lib
    mkdir -p "$scratch/src"
    printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[lib]\ncrate-type = ["cdylib"]\n' \
        > "$scratch/Cargo.toml"
    : > "$scratch/src/lib.rs"
    (
        cd "$scratch"
        RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$scratch/target" \
            /usr/bin/cargo build --quiet --release --target $WASM -Zbuild-std=std,panic_abort
    )
    as_root mkdir -p "$library"
    find "$scratch/target/$WASM/release/deps" -name 'lib*.rlib' ! -name 'libempty*' \
        -exec cp {} "$scratch" \;
    as_root cp "$scratch"/lib*.rlib "$library/"
    rm -rf "$scratch"
}

if target_of rustc; then
    done_already "WebAssembly target"
elif target_of /usr/bin/rustc; then
    done_already "WebAssembly target (of Debian's compiler)"
elif has rustup && { step "Adding the WebAssembly target by rustup"; rustup target add $WASM 2>/dev/null; }; then
    :
elif has apt-get; then
    say "rustup cannot reach its server; Debian's own compiler can build for WebAssembly too"
    build_standard_library
else
    fail "The target $WASM is missing. Install it for your compiler and run this again."
fi
if has rustup && ! target_of rustc && ! rustup toolchain list | grep -q '^debian'; then
    # By this name cargo finds Debian's compiler beside the one of rustup.
    rustup toolchain link debian /usr
fi

# --- tools from npm ---------------------------------------------------------------------------------

npm_packages tools "wasm-opt and esbuild"
if $with_tests; then
    npm_packages end2end "Playwright and a mail server for the tests"
fi
