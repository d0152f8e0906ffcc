#!/usr/bin/env bash
# Starts the release in development mode, and beside it the example shop, which shows how somebody
# else's product verifies with it; both print where they are.
#
# The server decides when this ends, and with which status. The shop comes after it, ends with it,
# and if it ends on its own, the server carries on.
set -euo pipefail
cd "$(dirname "$0")/.."
latchkey=${CARGO_TARGET_DIR:-target}/release/latchkey

if ! command -v node >/dev/null; then
  echo 'note: node is not installed, so there is no example shop' >&2
  exec "$latchkey" serve
fi

# Not a pipe but a process of this shell, so that its number and its end are known.
exec 3< <(exec "$latchkey" serve)
server=$!
shop=''

stop() {
  kill -TERM "$server" ${shop:+"$shop"} 2>/dev/null || true
}
trap stop INT TERM HUP

# What the server prints holds the origin under which it is to be found.
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
# A signal ends the first wait, and the server a moment later.
while wait "$server" || status=$?; kill -0 "$server" 2>/dev/null; do status=0; done
stop
[ -z "$shop" ] || wait "$shop" || true
exit "$status"
