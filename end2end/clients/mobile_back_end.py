"""The back end of a mobile app, with nothing but Python's standard library.

As somebody would write it who has read the README and nothing else. The app never sees the secret key:
it asks for a sign-up with a phone number, and later hands over the code that the person typed.

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
people = []  # phone numbers that are known to be somebody's


def latchkey(method, path, body=None):
    """Calls Latchkey; repeats what got no answer, under one name, so that it happens once."""
    headers = {
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/json",
        "Idempotency-Key": secrets.token_hex(16),
    }
    data = None if body is None else json.dumps(body).encode()
    for last in (False, False, True):
        request = urllib.request.Request(SERVER + path, data, headers, method=method)
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
    """What the app talks to."""

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
        status, answer = latchkey("POST", "/v1/verifications", request)
        if status != 201:
            return 422, {"message": "Is that your number?", "why": answer["code"]}
        ticket = secrets.token_urlsafe()
        sign_ups[ticket] = answer["id"], sent["phone"]
        return 200, {"ticket": ticket, "sent_to": answer["recipient"], "digits": answer["code_length"]}

    def code(self, sent):
        verification, phone = sign_ups[sent["ticket"]]
        status, answer = latchkey(
            "POST", f"/v1/verifications/{verification}/checks", {"code": sent["code"]}
        )
        if status != 200:
            return 503, {"message": "Try again in a moment."}
        if answer["result"] == "approved":
            people.append(phone)
            return 200, {"signed_up": True}
        return 200, {"signed_up": False, "why": answer["result"], "left": answer.get("attempts_left")}

    def again(self, sent):
        verification, _ = sign_ups[sent["ticket"]]
        status, answer = latchkey("POST", f"/v1/verifications/{verification}/sends")
        return (200, {}) if status == 201 else (429, {"wait": answer.get("retry_after")})

    def log_message(self, *_):
        """Nothing about people goes into a log."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), App)
    print(json.dumps({"event": "listening", "port": server.server_port}), flush=True)
    server.serve_forever()
