#!/usr/bin/env bash
# Runs all tests and prints their number in the last line; `make test` installs and builds first.
#
# The browser tests run against the release, which `make run` needs anyway. The Rust tests use the
# debug profile: it compiles in half the time, and checks overflows and debug assertions.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

LATCHKEY_BIN=$(realpath "$target/release/latchkey") || die 'no release to test: run scripts/build.sh'
LATCHKEY_PYTHON=$(python_tools)/bin
export LATCHKEY_BIN LATCHKEY_PYTHON

log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0

# count NAME PASSED FAILED: adds to the totals; no tests at all count as a failure.
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
  | tee "$log" || status=$?
# The suites that a store decides, on the other one: the API whole, and what the program itself suffers.
on_postgres() {
  LATCHKEY_TEST_STORE=postgres LATCHKEY_TEST_KILLS=20 CARGO_TARGET_DIR=$target \
    cargo test --package server --no-fail-fast "$@" 2>&1 | tee -a "$log" || status=$?
}
step 'Testing in Rust on PostgreSQL'
on_postgres --test api
on_postgres --test reliability -- clock:: kill:: shutdown:: store::s26_while_the_database_is_locked
read -r rust_passed rust_failed < <(
  sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed;.*/\1 \2/p' "$log" \
    | awk '{passed += $1; failed += $2} END {print passed + 0, failed + 0}'
)
# A test that does not compile or a test binary that crashes prints no result.
if [ "$status" != 0 ] && [ "$rust_failed" = 0 ]; then
  rust_failed=1
fi
note "$(took "$began")"

began=$SECONDS
step 'Testing in the browser'
status=0
rm -f end2end/results.json
npm --prefix end2end test || status=$?
read -r browser_passed browser_failed < <(node -e '
  const fs = require("fs");
  let stats = { expected: 0, unexpected: 0, flaky: 0 }, errors = 0;
  try {
    const report = JSON.parse(fs.readFileSync(process.argv[1]));
    stats = report.stats;
    errors = report.errors.length;
  } catch {}
  // Flaky tests count as failed.
  console.log(stats.expected, stats.unexpected + stats.flaky + (stats.unexpected ? 0 : errors));
' end2end/results.json)
if [ "$status" != 0 ] && [ "$browser_failed" = 0 ]; then
  browser_failed=1
fi
note "$(took "$began")"

step 'Results'
count 'Rust' "$rust_passed" "$rust_failed"
count 'Browser' "$browser_passed" "$browser_failed"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
