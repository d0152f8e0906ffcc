#!/usr/bin/env bash
# A sign-up from a shell, written from the README alone.
#
#   curl.sh http://127.0.0.1:3000 jane@example.com
set -euo pipefail
server=$1 person=$2
key=lk_sec_demo

# call METHOD PATH [JSON [KEY]]: prints the answer's body, then its status on a line of its own. A request
# that is repeated with the same idempotency key has one effect.
call() {
  curl --silent --show-error --request "$1" --write-out '\n%{http_code}\n' \
    --header "Authorization: Bearer $key" --header 'Content-Type: application/json' \
    --header "Idempotency-Key: ${4:-$RANDOM-$RANDOM-$RANDOM}" "$server$2" ${3:+--data "$3"}
}

# field NAME: the first text of this name in the JSON on standard input.
field() { grep -o "\"$1\":\"[^\"]*" | head -n 1 | cut -d '"' -f 4; }

# In development the person's mailbox is a page; it shows the newest message first.
mailbox() { curl --silent "$server/dev/inbox.json" | grep -o "{[^{}]*\"to\":\"$person\"[^{}]*}" | field code; }

# A repetition after a lost answer: sent twice, begun once.
begin="{\"to\": \"$person\", \"purpose\": \"sign-up\"}"
begun=$(call POST /v1/verifications "$begin" first-try)
again=$(call POST /v1/verifications "$begin" first-try)
id=$(field id <<<"$begun")
[ "$id" = "$(field id <<<"$again")" ]

until code=$(mailbox) && [ -n "$code" ]; do :; done
typo=$(call POST "/v1/verifications/$id/checks" '{"code": "12"}')
[ "$(field result <<<"$typo")" = malformed ]
wrong=$(call POST "/v1/verifications/$id/checks" "{\"code\": \"$(tr 0123456789 1234567890 <<<"$code")\"}")
[ "$(field result <<<"$wrong")" = incorrect ]

early=$(call POST "/v1/verifications/$id/sends")
[ "$(field code <<<"$early")" = resend_too_early ]
[ "$(tail -n 1 <<<"$early")" = 429 ]

right=$(call POST "/v1/verifications/$id/checks" "{\"code\": \"$code\"}")
field result <<<"$right"
[ "$(call GET "/v1/verifications/$id" | field state)" = approved ]

# Refused: an unknown id, an unknown key.
[ "$(call GET /v1/verifications/nobody-has-this | tail -n 1)" = 404 ]
[ "$(key=lk_sec_guessed call GET "/v1/verifications/$id" | field code)" = unauthorized ]
