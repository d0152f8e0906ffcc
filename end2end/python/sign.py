"""Signs requests as Twilio does, and checks signatures, by Twilio's library.

    sign.py <cases >results

Reads a JSON list of {token, url, fields, signature}; writes a list of {signature, accepted}: the signature
of each by this library, and whether it accepts the given one.
"""

import json
import sys

from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict


def check(case):
    validator = RequestValidator(case["token"])
    fields = MultiDict(case["fields"])
    signature = validator.compute_signature(case["url"], fields)
    accepted = validator.validate(case["url"], fields, case["signature"])
    return {"signature": signature, "accepted": accepted}


json.dump([check(case) for case in json.load(sys.stdin)], sys.stdout)
