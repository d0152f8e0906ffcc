#!/usr/bin/env bash
# Checks format, lints, types of the scripts and documentation; every warning is an error.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

# The same packages as scripts/test.sh, so that cargo reuses what is compiled.
natively=(--workspace --exclude frontend)

step 'Format'
cargo fmt --all --check

step 'Lints'
cargo clippy "${natively[@]}" --all-targets -- -D warnings

step 'Lints of the island'
front_cargo clippy --package frontend --package app --no-default-features --features app/hydrate \
  --target "$wasm" --profile wasm-release -- -D warnings

step 'Types of the scripts'
for folder in embed end2end; do
  end2end/node_modules/.bin/tsc --project "$folder"
done

step 'Folders of one machine'
if grep -rnE '/(home|root|Users)/' --include='*.rs' app attack frontend otp-types server xtask; then
  die 'these folders exist on some machines only; make them settings or leave them out'
fi

step 'Documentation'
RUSTDOCFLAGS='-D warnings' cargo doc --quiet "${natively[@]}" --no-deps --document-private-items
