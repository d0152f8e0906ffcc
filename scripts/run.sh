#!/usr/bin/env bash
# Starts the release in development mode; it prints where the page and the messages are.
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${CARGO_TARGET_DIR:-target}/release/latchkey" serve
