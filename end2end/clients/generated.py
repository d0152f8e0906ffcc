"""A back end with the client that is generated from the description, as the package `latchkey`.

    generated.py ORIGIN
"""

import enum
import json
import sys

import latchkey.models
from latchkey import AuthenticatedClient
from latchkey.api.verifications import create_verification
from latchkey.models import Channel, Create, Problem, Verification

enums = [kind for kind in vars(latchkey.models).values() if isinstance(kind, enum.EnumMeta)]
assert [kind for kind in enums if "sms" in [member.value for member in kind]] == [Channel], enums

client = AuthenticatedClient(base_url=sys.argv[1], token="lk_sec_demo")
begun = create_verification.sync(client=client, body=Create(to="+447400123456", channel=Channel.SMS))
assert isinstance(begun, Verification), begun
refused = create_verification.sync(client=client, body=Create(to="07400"))
assert isinstance(refused, Problem), refused
json.dump({"state": begun.state, "channel": begun.delivery.channel, "code": refused.code}, sys.stdout)
