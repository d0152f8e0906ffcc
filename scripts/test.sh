#!/usr/bin/env bash
# Sets up, builds, runs every test there is, and ends with one line that counts them.
#
# The browser tests drive the release, because that is what people get and because `make run` needs
# it built anyway. The Rust tests are compiled for debugging: that takes half the time when a test
# has changed, and overflows and debug assertions stop them.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

scripts/setup.sh --with-tests
scripts/build.sh
export LATCHKEY_BIN=$target/release/latchkey

results=$target/test-results
mkdir -p "$results"
rm -f "$results"/*
passed=0 failed=0

# Adds to the counts, and finds it a failure that nothing ran.
count() {
  passed=$((passed + $2)) failed=$((failed + $3))
  note "$1: $2 passed, $3 failed"
  if [ $(($2 + $3)) = 0 ]; then
    note "$1: no test ran, which counts as a failure"
    failed=$((failed + 1))
  fi
}

began=$SECONDS
step 'Testing in Rust'
status=0
CARGO_TARGET_DIR=$target cargo test --workspace --exclude frontend --no-fail-fast 2>&1 \
  | tee "$results/rust.txt" || status=$?
read -r rust_passed rust_failed < <(
  sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed;.*/\1 \2/p' "$results/rust.txt" \
    | awk '{passed += $1; failed += $2} END {print passed + 0, failed + 0}'
)
# A test that does not compile, or a test program that dies, is in no line of results.
if [ "$status" != 0 ] && [ "$rust_failed" = 0 ]; then
  rust_failed=1
fi
note "$(took "$began")"

began=$SECONDS
step 'Testing in the browser'
status=0
(
  cd end2end
  export CHROMIUM="${CHROMIUM:-$(command -v chromium)}"
  export PLAYWRIGHT_JSON_OUTPUT_NAME=$results/browser.json
  node_modules/.bin/playwright test --reporter=list,json
) || status=$?
read -r browser_passed browser_failed < <(node -e '
  const fs = require("fs");
  let stats = { expected: 0, unexpected: 0, flaky: 0 }, errors = 0;
  try {
    const report = JSON.parse(fs.readFileSync(process.argv[1]));
    stats = report.stats;
    errors = report.errors.length;
  } catch {}
  // A test that passes only at the second try has failed.
  console.log(stats.expected, stats.unexpected + stats.flaky + (stats.unexpected ? 0 : errors));
' "$results/browser.json")
if [ "$status" != 0 ] && [ "$browser_failed" = 0 ]; then
  browser_failed=1
fi
note "$(took "$began")"

step 'Results'
count 'Rust' "$rust_passed" "$rust_failed"
count 'Browser' "$browser_passed" "$browser_failed"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
