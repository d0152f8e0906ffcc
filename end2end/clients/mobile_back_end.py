"""The back end of a mobile app, with Python's standard library only, written from docs/API.md alone.

The app never sees the secret key: it asks for a sign-up with a phone number, and later passes on the code
that the person typed. Each request has an `intent`, which the app makes anew for each tap on a button and
sends again when it retries, so that a retry has no second effect.

    LATCHKEY_URL=http://127.0.0.1:3000 LATCHKEY_KEY=lk_sec_demo python3 mobile_back_end.py
"""

import json
import os
import secrets
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVER = os.environ["LATCHKEY_URL"]
KEY = os.environ["LATCHKEY_KEY"]

sign_ups = {}  # ticket of the app -> id of the verification
people = []  # verified phone numbers


def latchkey(path, body, intent):
    """Posts to Latchkey, and repeats a request that got no answer. `intent` is the idempotency key."""
    headers = {
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/json",
        "Idempotency-Key": intent,
    }
    for last in (False, False, True):
        request = urllib.request.Request(SERVER + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            problem = json.load(refusal)
            if refusal.code < 500 or last:
                return refusal.code, problem
        except OSError:
            if last:
                raise


class App(BaseHTTPRequestHandler):
    """The API for the app."""

    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        steps = {"/sign-up": self.sign_up, "/code": self.code, "/again": self.again}
        status, answer = steps[self.path](sent)
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def sign_up(self, sent):
        request = {"to": sent["phone"], "channel": "sms", "country": "GB", "purpose": "sign-up"}
        status, answer = latchkey("/v1/verifications", request, sent["intent"])
        if status != 201:
            return 422, {"message": "Is that your number?", "why": answer["code"]}
        ticket = secrets.token_urlsafe()
        sign_ups[ticket] = answer["id"], sent["phone"]
        return 200, {"ticket": ticket, "sent_to": answer["recipient"], "digits": answer["code_length"]}

    def code(self, sent):
        verification, phone = sign_ups[sent["ticket"]]
        path, body = f"/v1/verifications/{verification}/checks", {"code": sent["code"]}
        status, answer = latchkey(path, body, sent["intent"])
        if status != 200:
            return 503, {"message": "Try again in a moment."}
        # `test` is true where no message was sent.
        if answer["result"] == "approved" and not answer["verification"]["test"]:
            people.append(phone)
            return 200, {"signed_up": True}
        return 200, {"signed_up": False, "why": answer["result"], "left": answer.get("attempts_left")}

    def again(self, sent):
        verification, _ = sign_ups[sent["ticket"]]
        status, answer = latchkey(f"/v1/verifications/{verification}/sends", {}, sent["intent"])
        return (200, {}) if status == 201 else (429, {"wait": answer.get("retry_after")})

    def log_message(self, *_):
        """Logs nothing, because requests are about people."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), App)
    print(json.dumps({"event": "listening", "port": server.server_port}), flush=True)
    server.serve_forever()
