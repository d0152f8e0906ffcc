"""Verifies result tokens as docs/API.md says, with PyJWT.

    verify.py ISSUER AUDIENCE [LEEWAY] <tokens >verdicts

Reads a JSON list of tokens; writes a list of claims, or of null where a token is refused.
"""

import json
import sys

import jwt

issuer, audience, leeway = sys.argv[1], sys.argv[2], int((sys.argv[3:] or ["0"])[0])
server = issuer if issuer.startswith("http://127.0.0.1:") else sys.argv[4]
keys = jwt.PyJWKClient(f"{server}/.well-known/jwks.json")


def verify(token):
    try:
        return jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=["EdDSA"],
            issuer=issuer,
            audience=audience,
            leeway=leeway,
            options={"require": ["exp", "sub"]},
        )
    except jwt.PyJWTError:
        return None


json.dump([verify(token) for token in json.load(sys.stdin)], sys.stdout)
