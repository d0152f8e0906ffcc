#!/usr/bin/env bash
# Formatter, linter and documentation, none of which may have anything to say.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

step "Format"
cargo fmt --all --check
step "Lints"
cargo clippy --quiet --package otp --package server --package xtask --all-targets -- -D warnings
cargo clippy --quiet --package app --features ssr --all-targets -- -D warnings
step "Documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --document-private-items \
    --package otp --package server --package app --features app/ssr
