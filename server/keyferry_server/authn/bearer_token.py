"""Authentication by a JSON Web Token in the metadata `authorization: Bearer TOKEN` (RFC 7519, RFC 8725).

The checks, in this order; all of them end in the same refusal but the last:

1. There is one value, of the scheme Bearer, and it has the form of a signed token.
2. Its header names an algorithm of the allow-list, which holds asymmetric ones only,
   and asks for nothing that must be understood (crit) or is not a JWT (b64).
3. The issuer has published a key under its `kid`, for that algorithm.
4. The signature is that key's.
5. The issuer and the audience are ours; there is a subject and an end.
6. It was neither issued in the future nor is it valid only from then on.
7. It has not expired                                            ExpiredTokenException
8. The subject, or the configured claim, stands for a principal.

What passed 1 to 6 is remembered by its hash until it expires: checking a signature
costs as much as all the rest of a call.
"""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact
from joserfc.jwt import JWTClaimsRegistry
from joserfc.registry import HeaderParameter

from keyferry_server.authn.caller import Principal
from keyferry_server.authn.evidence import CallerRefusedError, Evidence
from keyferry_server.authn.principal_map import PrincipalMap
from keyferry_server.authn.token_keys import TokenKeys
from keyferry_server.domain.clock import Clock

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
LONGEST_TOKEN = 8192
_MOST_REMEMBERED = 4096
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TYPES = {"jwt", "at+jwt", "application/at+jwt"}
_NEVER = {name: HeaderParameter("not understood", "none") for name in ("crit", "b64")}


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must satisfy. `claim` holds an ARN if it is set; else the subject says who it is."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    clock_skew_seconds: int
    claim: str | None = None


@dataclass(frozen=True, slots=True)
class _Proven:
    claims: Mapping[str, Any]
    keys_generation: int


class BearerTokenAuthenticator:
    """Checks bearer tokens of one issuer."""

    def __init__(self, rules: TokenRules, keys: TokenKeys, principals: PrincipalMap, clock: Clock) -> None:
        if not set(rules.algorithms) <= set(ALGORITHMS):
            raise ValueError(f"Tokens are signed by one of {', '.join(ALGORITHMS)}.")
        self._rules = rules
        self._keys = keys
        self._principals = principals
        self._clock = clock
        self._registry = JWSRegistry(_NEVER, rules.algorithms, strict_check_header=False)
        self._registry.max_header_length = LONGEST_TOKEN
        self._proven: OrderedDict[bytes, _Proven] = OrderedDict()

    async def __call__(self, evidence: Evidence) -> Principal | None:
        """Return the principal of the caller's token."""
        if not evidence.authorization:
            return None
        # 1
        token = _token(evidence.authorization)
        claims = await self._claims(token)
        # 7
        if self._now() - self._rules.clock_skew_seconds >= claims["exp"]:
            raise CallerRefusedError("the token has expired", is_expired=True)
        # 8
        principal = self._principal(claims)
        if principal is None:
            raise CallerRefusedError("the token is authentic, and stands for no principal")
        return principal

    async def _claims(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token that passes 2 to 6, perhaps because it did before."""
        digest = hashlib.sha256(token.encode()).digest()
        proven = self._proven.get(digest)
        if proven is None or proven.keys_generation != self._keys.generation:
            claims = await self._check(token)
            proven = _Proven(claims, self._keys.generation)
            self._proven[digest] = proven
            if len(self._proven) > _MOST_REMEMBERED:
                self._proven.popitem(last=False)
        self._proven.move_to_end(digest)
        return proven.claims

    async def _check(self, token: str) -> Mapping[str, Any]:
        # 2
        try:
            signature = extract_compact(token.encode(), registry=self._registry)
            headers = signature.headers()
            self._registry.check_header(headers)
            self._registry.get_alg(headers["alg"])
        except Exception as error:  # noqa: BLE001 -- it is parsed from what anybody may send
            raise _refused("its header or its form", error) from None
        if str(headers.get("typ", "JWT")).lower() not in _TYPES:
            raise CallerRefusedError("the token is of another type")
        # 3
        key = await self._keys.find(headers.get("kid"))
        if key is None:
            raise CallerRefusedError("the issuer has published no key under the token's kid")
        if key.get("alg", headers["alg"]) != headers["alg"]:
            raise CallerRefusedError("the token's key is published for another algorithm")
        # 4
        try:
            is_authentic = validate_compact(signature, key, registry=self._registry)
        except Exception as error:  # noqa: BLE001 -- as above
            raise _refused("its signature", error) from None
        if not is_authentic:
            raise CallerRefusedError("the token's signature is wrong")
        # 5, 6
        return self._check_claims(signature)

    def _check_claims(self, signature: CompactSignature) -> Mapping[str, Any]:
        try:
            claims = json.loads(signature.payload or b"")
        except (ValueError, RecursionError):
            raise CallerRefusedError("the token's claims are not JSON") from None
        if not isinstance(claims, dict):
            raise CallerRefusedError("the token's claims are not an object")
        registry = JWTClaimsRegistry(
            now=self._now,
            leeway=self._rules.clock_skew_seconds,
            iss={"essential": True, "value": self._rules.issuer},
            aud={"essential": True, "value": self._rules.audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            registry.validate(claims)
        except ExpiredTokenError:
            raise CallerRefusedError("the token has expired", is_expired=True) from None
        except ClaimError as error:
            # The claim's name is one of those that are checked, and not the caller's to choose.
            raise _refused(f"its claim {error.claim}", error) from None
        except JoseError as error:
            raise _refused("its claims", error) from None
        return claims

    def _principal(self, claims: Mapping[str, Any]) -> Principal | None:
        if self._rules.claim is None:
            return self._principals.of_token(claims["sub"])
        arn = claims.get(self._rules.claim)
        return self._principals.of_arn(arn) if isinstance(arn, str) else None

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _token(authorization: tuple[str, ...]) -> str:
    if len(authorization) != 1:
        raise CallerRefusedError("there are several values of authorization")
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer":
        raise CallerRefusedError("the authorization is not of the scheme Bearer")
    if len(token) > LONGEST_TOKEN or _TOKEN.fullmatch(token) is None:
        raise CallerRefusedError("the token has not the form of a signed token")
    return token


def _refused(what: str, error: Exception) -> CallerRefusedError:
    return CallerRefusedError(f"the token is not accepted for {what}: {type(error).__name__}")
