#!/usr/bin/env bash
# Builds the release: the island, the site, and the server with both embedded.
#
# Steps with unchanged inputs are skipped: by cargo and `xtask site` themselves, by a hash for the
# steps between them.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

bin=tools/node_modules/.bin
xtask=$target/debug/xtask
stage=$front_target/stage
mkdir -p "$stage"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# xtask is compiled in parallel, since the end of the island's build uses only one core.
began=$SECONDS
step 'Compiling the island'
CARGO_TARGET_DIR=$target cargo build --quiet -p xtask >"$log" 2>&1 &
xtask_build=$!
front_cargo build -p frontend --lib --target "$wasm" --profile wasm-release
wait "$xtask_build" || {
  cat "$log" >&2
  die 'xtask does not compile'
}
note "done in $(took "$began")"

compiled=$front_target/$wasm/wasm-release/frontend.wasm
inputs=$(sha256sum "$compiled" "$xtask" tools/package-lock.json | sha256sum)
if [ "$(cat "$front_target/optimised" 2>/dev/null)" != "$inputs" ]; then
  began=$SECONDS
  step 'Generating the glue and optimising the island'
  rm -rf "$front_target/bindgen"
  "$xtask" bindgen "$compiled" "$front_target/bindgen"
  "$bin/wasm-opt" -Oz "$front_target/bindgen/island_bg.wasm" -o "$front_target/optimised.wasm"
  "$bin/esbuild" "$front_target/bindgen/island.js" --bundle --minify --format=esm \
    --log-level=warning --outfile="$front_target/island.js"
  echo "$inputs" >"$front_target/optimised"
  note "done in $(took "$began")"
fi

step 'Assembling the site'
rm -rf "$stage"
mkdir -p "$stage"
cp "$front_target/optimised.wasm" "$stage/island_bg.wasm"
cp "$front_target/island.js" "$stage/"
for sheet in main dark embed reference; do
  "$bin/esbuild" "style/$sheet.css" --bundle --minify --log-level=warning --outfile="$stage/$sheet.css"
done
bundle_embed "$stage"
shopt -s nullglob
for file in frontend/*.js public/*; do
  case $file in
    *.js) "$bin/esbuild" "$file" --minify --log-level=warning --outfile="$stage/${file##*/}" ;;
    *) cp "$file" "$stage/" ;;
  esac
done
"$xtask" site "$stage" target/site

began=$SECONDS
step 'Compiling the server'
CARGO_TARGET_DIR=$target cargo build --release -p server
note "done in $(took "$began"): ${target#"$root"/}/release/latchkey"
