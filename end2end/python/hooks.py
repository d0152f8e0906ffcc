"""What no description can say of a good request, for Schemathesis.

A schema says which text may stand in a field; that a phone number or a country exists, that a return
URL is one of the site's, that a key names one request alone or that a token is genuine is for the server
to know. Here well-formed values give way to such ones. So every request that is meant to be good has to
be accepted, and one that is meant to be bad cannot be refused for a reason that nobody meant.
"""

import atexit
import collections
import itertools
import json
import re
import urllib.parse
import urllib.request

import schemathesis
from schemathesis.openapi.checks import UseAfterFree

CREATE = "POST /v1/verifications"
SEND = "POST /v1/verifications/{id}/sends"
REDEEM = "POST /v1/tokens/redeem"
KEY = "Idempotency-Key"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
PHONE_CHANNELS = ("sms", "whatsapp", "voice")
SHOP = "http://localhost:3001"
RETURN_URL = f"{SHOP}/return"

numbers = itertools.count(1)
channels = {}
seen = collections.defaultdict(set)


@atexit.register
def tell():
    """What was answered how, for the test to see that every endpoint was really reached."""
    with open("seen.json", "w") as file:
        json.dump({operation: sorted(statuses) for operation, statuses in seen.items()}, file)


def is_text(value, most):
    """Whether the description has nothing against a value, whatever the server may have."""
    return isinstance(value, str) and 1 <= len(value) <= most and not CONTROL.search(value)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Only what is well-formed is replaced: what is wrong about a request stays, and is all that is."""
    if case.headers and re.fullmatch("[!-~]{1,255}", str(case.headers.get(KEY, ""))):
        # A key names one request: a name used before would rightly be refused.
        case.headers[KEY] = f"{case.headers[KEY][:200]}-{next(numbers)}"
    label, body = case.operation.label, case.body
    if not isinstance(body, dict):
        return
    if label == CREATE:
        if re.fullmatch("[A-Za-z]{2}", str(body.get("country"))):
            # Most pairs of letters are no country.
            body["country"] = "GB"
        if is_text(body.get("to"), 254):
            body["to"] = recipient(body)
        if is_text(body.get("return_url"), 2048):
            body["return_url"] = RETURN_URL
    elif label == SEND and body.get("channel") in ("email", *PHONE_CHANNELS):
        channel = channels.get((case.path_parameters or {}).get("id"))
        body["channel"] = channel or body["channel"]
    elif label == REDEEM and is_text(body.get("token"), 4096):
        body["token"] = token(case.operation.schema.get_base_url().rstrip("/"))


def recipient(body):
    """Somebody new, whom the channel reaches."""
    number = next(numbers)
    by_phone = body.get("channel") in PHONE_CHANNELS
    if not by_phone and (body.get("channel") is not None or number % 3):
        return f"person{number}@example.com"
    return f"07400{number:06}" if body.get("country") == "GB" else f"+447400{number:06}"


@schemathesis.hook
def after_call(context, case, response):
    seen[case.operation.label].add(response.status_code)
    if response.status_code == 201:
        verification = response.json()
        channels[verification["id"]] = verification["delivery"]["channel"]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Called off is not gone: it can be looked up until it expires, and says that it is over."""
    return not (isinstance(failure, UseAfterFree) and response.json()["state"] != "pending")


def token(origin):
    """A genuine token, got as a shop's page gets it: from the answer to the code typed in its frame."""
    person = f"holder{next(numbers)}@example.com"
    begin = {"site_key": "lk_pub_demo", "to": person, "channel": "email", "state": "s1"}
    framed = call(f"{origin}/embed/verifications", begin, {"Origin": SHOP})
    codes = []
    while not codes:
        caught = json.load(urllib.request.urlopen(f"{origin}/dev/inbox.json"))
        codes = [message["code"] for message in caught if message["to"] == person]
    frame = f"{origin}{framed['url']}/check?site_key=lk_pub_demo&origin={SHOP}&state=s1"
    form = urllib.parse.urlencode({"code": codes[0]}).encode()
    request = urllib.request.Request(frame, form, {"Origin": origin, "Sec-Fetch-Site": "same-origin"})
    page = urllib.request.urlopen(request).read().decode()
    return re.search('data-token="([^"]+)"', page)[1]


def call(url, body, headers):
    headers = {**headers, "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request))
