#!/usr/bin/env bash
# Runs every test of the project and ends with one line that counts them.
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

target=${CARGO_TARGET_DIR:-target}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0

# cargo_tests ARGUMENTS: runs them and adds up what each test binary closes with.
cargo_tests() {
    cargo test --no-fail-fast "$@" 2>&1 | tee "$log"
    local status=${PIPESTATUS[0]} counted
    counted=$(sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed.*/\1 \2/p' "$log" \
        | awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
    passed=$((passed + ${counted% *}))
    failed=$((failed + ${counted#* }))
    # What does not compile, or dies, counts as one failure: silence is no success.
    if [ "$status" -ne 0 ] && [ "${counted#* }" = 0 ]; then failed=$((failed + 1)); fi
}

step "Tests of the domain, the server and the build"
cargo_tests --package otp --package server --package xtask
step "Tests of the pages"
cargo_tests --package app --features ssr

step "Tests in a browser, against the release"
results=end2end/results.json
rm -f "$results"
LATCHKEY_BIN="$(realpath "$target")/release/latchkey" npm --prefix end2end test
status=$?
if [ -f "$results" ]; then
    counted=$(node -e '
        const { expected, flaky, unexpected } = JSON.parse(require("fs").readFileSync(process.argv[1])).stats;
        console.log(expected, unexpected + flaky);' "$results")
    passed=$((passed + ${counted% *}))
    failed=$((failed + ${counted#* }))
    if [ "$status" -ne 0 ] && [ "${counted#* }" = 0 ]; then failed=$((failed + 1)); fi
else
    say "the browser tests left no results"
    failed=$((failed + 1))
fi

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
