#!/usr/bin/env bash
# Builds the release: island, site, server. Each step is skipped when what goes into it is unchanged.
#
#   scripts/build.sh          all of it; the result is target/release/latchkey
#   scripts/build.sh --site   the site alone, in target/site
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

target=${CARGO_TARGET_DIR:-target}
work=$target/site-work
mkdir -p "$work/in"

step "Compiling the island to WebAssembly"
# Without source locations and Debug texts the island is a seventh smaller, and holds no path of this
# machine; both serve panics only. The flags are not stable yet, so the compiler has to be told that we
# know; the code itself uses nothing unstable. A target folder of its own keeps the two sets of flags
# from rebuilding each other's crates.
RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zlocation-detail=none -Zfmt-debug=none" CARGO_TARGET_DIR="$target/front" \
    wasm_cargo build --package frontend --lib --target wasm32-unknown-unknown --profile wasm-release
wasm=$target/front/wasm32-unknown-unknown/wasm-release/frontend.wasm

stamp=$(cat "$wasm" frontend/loader.js style/*.css tools/package-lock.json scripts/build.sh Cargo.lock | sha256sum)
if [ "$stamp" = "$(cat "$work/stamp" 2>/dev/null)" ]; then
    done_already "site"
else
    step "Making the site: bindings, wasm-opt, style"
    cargo xtask bindgen "$wasm" "$work/bindgen"
    # Named one by one: with --all-features it writes forms that browsers do not read yet.
    tools/node_modules/.bin/wasm-opt -Oz \
        --enable-bulk-memory --enable-bulk-memory-opt --enable-nontrapping-float-to-int \
        --enable-sign-ext --enable-mutable-globals --enable-reference-types --enable-multivalue \
        --enable-call-indirect-overlong \
        "$work/bindgen/island_bg.wasm" -o "$work/in/island_bg.wasm"
    esbuild=tools/node_modules/.bin/esbuild
    "$esbuild" --log-level=warning --minify --format=esm "$work/bindgen/island.js" --outfile="$work/in/island.js"
    "$esbuild" --log-level=warning --minify frontend/loader.js --outfile="$work/in/loader.js"
    "$esbuild" --log-level=warning --minify --bundle style/main.css --outfile="$work/in/main.css"
    printf '%s' "$stamp" > "$work/stamp"
fi
cargo xtask site "$work/in" target/site

[ "${1:-}" = --site ] && exit 0

step "Compiling the server"
cargo build --release --package server
