"""A token issuer: its keys, its key set, and tokens of every kind, also those that no issuer would make."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from joserfc import jwk, jws
from joserfc.jws import JWSRegistry

ISSUER = "https://issuer.example"
AUDIENCE = "keyferry"
ACCOUNT = "000000000000"
TRUST_DOMAIN = "example.org"
SUBJECT = f"spiffe://{TRUST_DOMAIN}/account/{ACCOUNT}/role/billing"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/billing"

_ALL = JWSRegistry(algorithms=list(JWSRegistry.algorithms), strict_check_header=False)


def encode(part: object) -> str:
    """Encode a header, claims or bytes as a part of a token."""
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Issuer:
    """Signs by keys that are named by their kid."""

    def __init__(self, **keys: str) -> None:
        """Take kinds of keys by their kid: RSA, P-256, P-384, Ed25519."""
        self.keys = {kid: _generate(kind, kid) for kid, kind in (keys or {"one": "P-256"}).items()}

    def add(self, kid: str, kind: str = "P-256") -> None:
        self.keys[kid] = _generate(kind, kid)

    def key_set(self) -> str:
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys.values()]})

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return good claims; None takes one away."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "exp": now + 300} | changed
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        claims: Mapping[str, Any] | None = None,
        *,
        kid: str = "one",
        header: Mapping[str, Any] | None = None,
        key: Any = None,
        algorithm: str | None = None,
    ) -> str:
        """Sign a token; `header` adds members and takes away those that are None, before it is signed."""
        signed_by = key or self.keys[kid]
        header = {"typ": "JWT", "alg": algorithm or algorithm_of(signed_by), "kid": kid} | dict(header or {})
        header = {name: value for name, value in header.items() if value is not None}
        payload = json.dumps(self.claims() if claims is None else claims)
        return sign(header, payload.encode(), signed_by)


def sign(header: Mapping[str, Any], payload: bytes, key: Any, algorithm: str | None = None) -> str:
    """Sign anything under any header, by the algorithm that the header names or another one."""
    content = f"{encode(dict(header))}.{encode(payload)}"
    method = _ALL.algorithms[algorithm or header["alg"]]
    return f"{content}.{encode(method.sign(content.encode(), key))}"


def algorithm_of(key: Any) -> str:
    return {"RSA": "RS256", "OKP": "Ed25519"}.get(key.key_type) or {"P-256": "ES256", "P-384": "ES384"}[
        key.curve_name
    ]


def _generate(kind: str, kid: str) -> Any:
    if kind == "RSA":
        return jwk.RSAKey.generate_key(2048, {"kid": kid})
    if kind == "Ed25519":
        return jwk.OKPKey.generate_key(kind, {"kid": kid})
    return jwk.ECKey.generate_key(kind, {"kid": kid})


__all__ = [
    "ACCOUNT",
    "AUDIENCE",
    "ISSUER",
    "ROLE",
    "SUBJECT",
    "TRUST_DOMAIN",
    "Issuer",
    "encode",
    "jws",
    "sign",
]
