#!/usr/bin/env bash
# Starts the release in development mode, and the example shop, which shows how a product verifies
# its users with it. Both print their address.
#
# This script ends with the server and returns its status. The shop is started after the server and
# stopped with it; if the shop ends first, the server keeps running.
set -euo pipefail
cd "$(dirname "$0")/.."
latchkey=${CARGO_TARGET_DIR:-target}/release/latchkey

if ! command -v node >/dev/null; then
  echo 'note: node is not installed, so there is no example shop' >&2
  exec "$latchkey" serve
fi

# Process substitution instead of a pipe, so that $! is the server and `wait` returns its status.
exec 3< <(exec "$latchkey" serve)
server=$!
shop=''

stop() {
  kill -TERM "$server" ${shop:+"$shop"} 2>/dev/null || true
}
trap stop INT TERM HUP

# open_shop ORIGIN: starts the shop for the server at that origin.
open_shop() {
  LATCHKEY_ORIGIN=$1 node end2end/shop/server.mjs 3<&- &
  shop=$!
}

while IFS= read -r line <&3; do
  printf '%s\n' "$line"
  if [ -z "$shop" ] && [[ $line =~ ^\ +Page\ +(https?://[^/]+)/$ ]]; then
    open_shop "${BASH_REMATCH[1]}"
  fi
done || true

status=0
# A signal interrupts `wait` before the server has ended, so it is repeated.
while wait "$server" || status=$?; kill -0 "$server" 2>/dev/null; do status=0; done
stop
[ -z "$shop" ] || wait "$shop" || true
exit "$status"
