#!/usr/bin/env bash
# Fuzzes every target, or those that are named, for FUZZ_SECONDS each; `make fuzz` installs cargo-fuzz first.
#
# New inputs are kept in fuzz/found, outside of the repository. An input that breaks a property ends the run,
# and its place is printed: mend the code, and add the input to fuzz/corpus.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

seconds=${FUZZ_SECONDS:-300}
targets=("$@")
[ ${#targets[@]} -gt 0 ] || read -ra targets <<<"$(cd fuzz/corpus && echo *)"

# libFuzzer needs options of the compiler that are unstable. AddressSanitizer is left out, since the code is
# safe Rust.
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target/fuzz
for name in "${targets[@]}"; do
  step "Fuzzing $name for $seconds s"
  mkdir -p "fuzz/found/$name"
  cargo fuzz run --sanitizer none "$name" "fuzz/found/$name" "fuzz/corpus/$name" -- \
    -max_total_time="$seconds" -timeout=10 -print_final_stats=1 -verbosity=1
done
