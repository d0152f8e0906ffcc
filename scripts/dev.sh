#!/usr/bin/env bash
# Rebuilds and restarts on every change. Needs cargo-leptos, which no script installs: it takes 15
# minutes to compile, and nothing else needs it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

have cargo-leptos || die "make dev needs cargo-leptos, which is not installed. Either
       cargo binstall cargo-leptos                     (prebuilt, where GitHub is reachable)
       cargo install cargo-leptos --locked --no-default-features     (compiled, 15 minutes)"
scripts/setup.sh
# cargo-leptos builds one style sheet and one script; the other ones go into its folder of static files.
mkdir -p target/dev-public
cp frontend/*.js style/dark.css style/embed.css style/reference.css target/dev-public/
bundle_embed target/dev-public
PATH=$root/tools/node_modules/.bin:$PATH
read -r name library <<<"$(front_compiler)"
[ "$name" = default ] || export PATH="/usr/bin:$PATH"
if [ "$library" = small ]; then
  export RUSTC_BOOTSTRAP=1
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="${small[*]} --sysroot $(small_std "$name")"
fi
exec cargo-leptos leptos watch
