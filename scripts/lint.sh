#!/usr/bin/env bash
# Formatter, linter and documentation, none of which may have anything to say.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

# The packages as `cargo test` takes them, so that what one command has checked serves the next.
natively=(--workspace --exclude frontend)

step 'Format'
cargo fmt --all --check

step 'Lints'
cargo clippy "${natively[@]}" --all-targets -- -D warnings

step 'Lints of the island'
front_cargo clippy --package frontend --package app --features app/hydrate --target "$wasm" \
  --profile wasm-release -- -D warnings

step 'Types of the scripts'
for folder in embed end2end; do
  end2end/node_modules/.bin/tsc --project "$folder"
done

step 'Folders of one machine'
if grep -rnE '/(home|root|Users)/' --include='*.rs' app frontend otp-types server xtask; then
  die 'these folders exist on some machines only; make them settings or leave them out'
fi

step 'Documentation'
RUSTDOCFLAGS='-D warnings' cargo doc --quiet "${natively[@]}" --no-deps --document-private-items
