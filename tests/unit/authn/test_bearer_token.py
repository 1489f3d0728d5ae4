"""A bearer token is taken if everything about it is right, and refused for anything that is not."""

import asyncio
import hmac
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fakes.moved_clock import MovedClock
from joserfc import jwk
from token_issuer import ACCOUNT, AUDIENCE, ISSUER, ROLE, SUBJECT, TRUST_DOMAIN, Issuer, encode, sign

from keyferry_server.authn.bearer_token import ALGORITHMS, BearerTokenAuthenticator, TokenRules
from keyferry_server.authn.caller import Principal
from keyferry_server.authn.evidence import CallerRefusedError, Evidence
from keyferry_server.authn.principal_map import PrincipalMap
from keyferry_server.authn.token_keys import TokenKeys, TokenKeysError
from keyferry_server.domain.errors import DependencyTimeoutException

SKEW = 30
EVERY_KIND = {"one": "P-256", "rsa": "RSA", "p384": "P-384", "ed": "Ed25519"}


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer(**EVERY_KIND)


def rules(**changed: Any) -> TokenRules:
    values = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "algorithms": ALGORITHMS,
        "clock_skew_seconds": SKEW,
    } | changed
    return TokenRules(**values)


def authenticator(
    issuer: Issuer, clock: MovedClock | None = None, key_set: str | None = None, **changed: Any
) -> BearerTokenAuthenticator:
    async def fetch() -> str:
        return issuer.key_set() if key_set is None else key_set

    principals = PrincipalMap("aws", TRUST_DOMAIN)
    return BearerTokenAuthenticator(rules(**changed), TokenKeys(fetch), principals, clock or MovedClock())


async def caller_of(authenticate: BearerTokenAuthenticator, token: str) -> Principal | None:
    return await authenticate(Evidence(authorization=(f"Bearer {token}",)))


async def refusal(authenticate: BearerTokenAuthenticator, token: str) -> CallerRefusedError:
    with pytest.raises(CallerRefusedError) as caught:
        await caller_of(authenticate, token)
    assert not any(part in str(caught.value) for part in token.split(".") if len(part) > 10)
    return caught.value


@pytest.mark.parametrize("kid", EVERY_KIND)
async def test_a_good_token_names_its_principal_whatever_key_it_is_signed_by(
    issuer: Issuer, kid: str
) -> None:
    assert await caller_of(authenticator(issuer), issuer.token(kid=kid)) == Principal(ACCOUNT, ROLE)


async def test_what_is_no_token_is_left_to_other_ways(issuer: Issuer) -> None:
    assert await authenticator(issuer)(Evidence()) is None


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
async def test_the_audience_may_be_one_or_a_list(issuer: Issuer, aud: object) -> None:
    assert await caller_of(authenticator(issuer), issuer.token(issuer.claims(aud=aud)))


async def test_the_scheme_is_written_in_any_case_and_stands_once(issuer: Issuer) -> None:
    token = issuer.token()
    assert await authenticator(issuer)(Evidence(authorization=(f"bearer {token}",)))
    for shown in (
        (f"Bearer {token}", f"Bearer {token}"),
        (token,),
        (f"Basic {token}",),
        (f"Bearer  {token}",),
        (f"Bearer {token} ",),
        (f"Bearer {token},Bearer {token}",),
        ("",),
        ("Bearer ",),
    ):
        with pytest.raises(CallerRefusedError):
            await authenticator(issuer)(Evidence(authorization=shown))


async def test_a_clock_may_differ_by_the_skew_and_no_more(issuer: Issuer) -> None:
    clock = MovedClock()
    now = int(clock.now().timestamp())
    authenticate = authenticator(issuer, clock)
    for claims in ({"exp": now - SKEW + 1}, {"nbf": now + SKEW}, {"iat": now + SKEW, "exp": now + 900}):
        assert await caller_of(authenticate, issuer.token(issuer.claims(**claims)))
    assert (await refusal(authenticate, issuer.token(issuer.claims(exp=now - SKEW)))).is_expired
    for claims in ({"nbf": now + SKEW + 1}, {"iat": now + SKEW + 1, "exp": now + 900}):
        assert not (await refusal(authenticate, issuer.token(issuer.claims(**claims)))).is_expired


async def test_a_token_that_was_taken_before_still_expires(issuer: Issuer) -> None:
    clock = MovedClock()
    authenticate, token = authenticator(issuer, clock), issuer.token()
    assert await caller_of(authenticate, token)
    clock.advance(timedelta(seconds=300 + SKEW))
    assert (await refusal(authenticate, token)).is_expired


async def test_a_key_that_the_issuer_takes_back_ends_the_tokens_that_it_signed() -> None:
    issuer = Issuer(one="P-256", two="P-256")
    keys = TokenKeys(lambda: _text(issuer))
    authenticate = BearerTokenAuthenticator(rules(), keys, PrincipalMap("aws", TRUST_DOMAIN), MovedClock())
    token = issuer.token()
    assert await caller_of(authenticate, token)
    del issuer.keys["one"]
    assert await caller_of(authenticate, token)
    await keys.fetch()
    await refusal(authenticate, token)


async def test_a_new_key_is_fetched_when_a_token_names_it_and_not_for_every_stranger() -> None:
    issuer, fetched = Issuer(), []

    async def fetch() -> str:
        fetched.append(True)
        return issuer.key_set()

    keys = TokenKeys(fetch)
    authenticate = BearerTokenAuthenticator(rules(), keys, PrincipalMap("aws", TRUST_DOMAIN), MovedClock())
    assert await caller_of(authenticate, issuer.token())
    issuer.add("two")
    for _ in range(20):
        await refusal(authenticate, issuer.token(kid="two"))
    assert len(fetched) == 1
    keys._fetched_at -= 10
    results = await asyncio.gather(*(caller_of(authenticate, issuer.token(kid="two")) for _ in range(5)))
    assert results == [Principal(ACCOUNT, ROLE)] * 5
    assert len(fetched) == 2


async def test_keys_that_cannot_be_fetched_change_nothing_and_before_the_first_it_may_be_retried() -> None:
    issuer = Issuer()
    is_down = True

    async def fetch() -> str:
        if is_down:
            raise TokenKeysError("down")
        return issuer.key_set()

    keys = TokenKeys(fetch)
    authenticate = BearerTokenAuthenticator(rules(), keys, PrincipalMap("aws", TRUST_DOMAIN), MovedClock())
    with pytest.raises(DependencyTimeoutException):
        await caller_of(authenticate, issuer.token())
    is_down = False
    await keys.fetch()
    is_down = True
    await keys.fetch_again()
    assert await caller_of(authenticate, issuer.token())


async def test_a_claim_may_hold_the_arn_and_then_the_subject_is_nobody(issuer: Issuer) -> None:
    authenticate = authenticator(issuer, claim="principal")
    arn = f"arn:aws:iam::{ACCOUNT}:user/ada"
    assert await caller_of(authenticate, issuer.token(issuer.claims(principal=arn))) == Principal(
        ACCOUNT, arn
    )
    for wrong in (None, SUBJECT, "arn:aws:iam::1:user/ada", ["x"], {"arn": arn}, f"{arn}\n", 7, ""):
        await refusal(authenticate, issuer.token(issuer.claims(principal=wrong)))
    await refusal(authenticator(issuer), issuer.token(issuer.claims(sub=arn)))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": None}, {"iss": "https://issuer.example.evil"}, {"iss": ISSUER + "/"}, {"iss": [ISSUER]}, {"iss": ""},
        {"aud": None}, {"aud": "other"}, {"aud": []}, {"aud": ["other"]}, {"aud": {"a": AUDIENCE}}, {"aud": [AUDIENCE, 7]},
        {"aud": AUDIENCE.upper()}, {"aud": True}, {"aud": [[AUDIENCE]]},
        {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": [SUBJECT]}, {"sub": "somebody"},
        {"sub": SUBJECT.replace(TRUST_DOMAIN, "evil.org")}, {"sub": SUBJECT.replace("role", "group")},
        {"sub": f"spiffe://{TRUST_DOMAIN}/account/{ACCOUNT}/role/../user/root"}, {"sub": f"spiffe://{TRUST_DOMAIN}/account/1/role/x"},
        {"sub": f"spiffe://{TRUST_DOMAIN}.evil.org/account/{ACCOUNT}/role/billing"}, {"sub": SUBJECT + "\n"}, {"sub": SUBJECT + "/"},
        {"exp": None}, {"exp": "tomorrow"}, {"exp": True}, {"exp": [1]}, {"exp": -1}, {"exp": 0}, {"exp": 1e9}, {"exp": float("nan")},
        {"exp": float("inf")}, {"exp": "99999999999"},
        {"nbf": 99999999999}, {"nbf": "now"}, {"nbf": float("nan")}, {"iat": 99999999999}, {"iat": "now"}, {"iat": float("inf")},
    ],
    ids=str,
)  # fmt: skip
async def test_a_token_with_a_wrong_claim_is_refused(issuer: Issuer, claims: dict[str, Any]) -> None:
    await refusal(authenticator(issuer), issuer.token(issuer.claims(**claims)))


@pytest.mark.parametrize(
    "claims",
    [{"aud": None}, {"aud": "secret-audience"}, {"iss": "secret-issuer"}, {"nbf": 99999999999}],
    ids=str,
)
async def test_the_claim_that_a_token_is_refused_for_is_named_without_its_value(
    issuer: Issuer, claims: dict[str, Any]
) -> None:
    ((name, value),) = claims.items()
    reason = str(await refusal(authenticator(issuer), issuer.token(issuer.claims(**claims))))
    assert f"its claim {name}:" in reason
    assert str(value) not in reason or value is None


def strange_headers(issuer: Issuer) -> Iterator[str]:
    """Tokens whose header asks for what must not be done; each would be good without that."""
    public = json.dumps(issuer.keys["rsa"].as_dict(private=False)).encode()
    pem = issuer.keys["rsa"].as_pem(private=False)
    claims = json.dumps(issuer.claims()).encode()
    one = issuer.keys["one"]
    # No signature at all.
    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        header = encode({"alg": algorithm, "kid": "one"})
        yield f"{header}.{encode(claims)}."
        yield f"{header}.{encode(claims)}.{encode(b'x')}"
    # The public key as a secret: key confusion.
    for secret in (pem, public, pem.strip(), b"rsa", b""):
        for algorithm in ("HS256", "HS384", "HS512"):
            content = f"{encode({'alg': algorithm, 'kid': 'rsa'})}.{encode(claims)}"
            tag = hmac.digest(secret, content.encode(), f"sha{algorithm[2:]}")
            yield f"{content}.{encode(tag)}"
    # Signed by one kind of key, said to be another.
    for kid, algorithm in (("one", "RS256"), ("rsa", "ES256"), ("p384", "ES256"), ("one", "ES384"), ("ed", "ES256"), ("one", "Ed25519"), ("rsa", "PS512")):  # fmt: skip
        key = issuer.keys[kid]
        yield sign({"alg": algorithm, "kid": kid}, claims, key, {"RSA": "RS256", "OKP": "Ed25519"}.get(key.key_type) or {"P-256": "ES256", "P-384": "ES384"}[key.curve_name])  # fmt: skip
    # Keys that the token brings along or says where to get.
    stranger = jwk.ECKey.generate_key("P-256", {"kid": "one"})
    for extra in ({"jwk": stranger.as_dict(private=False)}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/"}, {"x5c": ["MIIB"]}, {}):  # fmt: skip
        yield issuer.token(kid="one", key=stranger, header=extra)
    # A kid that is a path, a query, too long, or no text.
    for kid in ("../../etc/passwd", "/dev/null", "one\0", "one' OR '1'='1", "one/../one", "ONE", "", " one", "k" * 3000, 7, None, ["one"], {"a": 1}, True, "..%2f..%2fone"):  # fmt: skip
        yield issuer.token(key=one, header={"kid": kid})
    # What must be understood, and is not.
    for extra in ({"crit": ["exp"]}, {"crit": []}, {"crit": "exp"}, {"crit": ["b64"], "b64": False}, {"b64": False}, {"b64": True}, {"typ": "dpop+jwt"}, {"typ": "JOSE"}, {"typ": 7}, {"typ": ""}, {"alg": None}, {"alg": 7}, {"alg": ["ES256"]}, {"alg": "ES256 "}, {"alg": "es256"}, {"alg": {"a": 1}}):  # fmt: skip
        header = {"typ": "JWT", "alg": "ES256", "kid": "one"} | extra
        header = {name: value for name, value in header.items() if value is not None}
        yield sign(header, claims, one, "ES256")
    for algorithm in ("ES256K", "EdDSA", "RSA1_5", "dir", "A128KW", "HS256"):
        yield sign({"alg": algorithm, "kid": "one"}, claims, one, "ES256")


async def test_a_token_whose_header_asks_for_what_must_not_be_done_is_refused(issuer: Issuer) -> None:
    authenticate = authenticator(issuer)
    assert await caller_of(authenticate, issuer.token())
    tokens = list(strange_headers(issuer))
    assert len(tokens) > 60
    for token in tokens:
        assert not (await refusal(authenticate, token)).is_expired


async def test_claims_that_are_no_object_are_refused_though_they_are_signed(issuer: Issuer) -> None:
    deep = b"[" * 100_000
    for payload in (
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"{",
        b"\xff\xfe",
        b"{}{}",
        deep[:5000],
        b'{"iss":' * 600,
    ):
        token = sign({"alg": "ES256", "kid": "one"}, payload, issuer.keys["one"])
        if payload:
            await refusal(authenticator(issuer), token)


def damaged(token: str, chance: random.Random) -> str:
    """Return a token with one thing wrong with it."""
    parts = token.split(".")
    at = chance.randrange(len(token))
    part = chance.randrange(3)
    match chance.randrange(8):
        case 0:
            other = chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            return token[:at] + other + token[at + 1 :]
        case 1:
            return token[:at]
        case 2:
            return token[:at] + chance.choice(["=", "+", "/", " ", "\n", "\0", "é", "%2e", "."]) + token[at:]
        case 3:
            parts[part] = encode(chance.randbytes(chance.randrange(1, 80)))
        case 4:
            parts[part] = ""
        case 5:
            parts[part] = parts[chance.randrange(3)]
        case 6:
            parts.insert(part, encode(b"{}"))
        case 7:
            parts[part] = parts[part][::-1]
    return ".".join(parts)


async def test_a_thousand_damaged_tokens_are_refused_and_none_of_them_is_a_fault(issuer: Issuer) -> None:
    chance = random.Random(8)
    authenticate = authenticator(issuer)
    good = [issuer.token(kid=kid) for kid in EVERY_KIND]
    same = 0
    for number in range(1000):
        token = damaged(good[number % len(good)], chance)
        if token in good:
            same += 1
            continue
        try:
            caller = await caller_of(authenticate, token)
        except CallerRefusedError:
            continue
        # The last character of a signature may have bits that no byte has: the same signature.
        original = next(one for one in good if one[:-1] == token[:-1])
        assert (caller, original[:-1]) == (Principal(ACCOUNT, ROLE), token[:-1])
    assert same < 100


@pytest.mark.parametrize(
    "key_set",
    ["", "null", "[]", "{}", '{"keys": {}}', '{"keys": []}', '{"keys": [7, null, "x", {}]}', '{"keys": [{"kty": "oct", "k": "AAAA"}]}',
     '{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}', '{"keys": [{"kty": "EC", "crv": "P-256"}]}', "[" * 5000, "\ufeff{}"],
)  # fmt: skip
async def test_a_key_set_without_a_usable_key_is_refused(key_set: str) -> None:
    with pytest.raises(TokenKeysError):
        await TokenKeys(lambda: _same(key_set)).fetch()


async def test_a_key_set_takes_only_public_keys_for_signatures_and_one_of_a_kid(issuer: Issuer) -> None:
    one = issuer.keys["one"].as_dict(private=False)
    modulus = rsa.generate_private_key(65537, 1024).public_key().public_numbers().n  # noqa: S505 -- to be refused
    weak = {"kty": "RSA", "kid": "weak", "e": "AQAB", "n": encode(modulus.to_bytes(128))}
    members = [one, one | {"kid": "enc", "use": "enc"}, one | {"kid": "sign", "key_ops": ["sign"]}, weak]
    keys = TokenKeys(lambda: _same(json.dumps({"keys": members})))
    await keys.fetch()
    assert [await keys.find(kid) is not None for kid in ("one", "enc", "sign", "weak")] == [
        True,
        False,
        False,
        False,
    ]
    for members in ([one, one], [issuer.keys["one"].as_dict(private=True)]):
        with pytest.raises(TokenKeysError, match=r"two keys|private key"):
            await TokenKeys(lambda members=members: _same(json.dumps({"keys": members}))).fetch()


async def test_a_key_serves_only_the_algorithm_that_it_is_published_for(issuer: Issuer) -> None:
    member = issuer.keys["rsa"].as_dict(private=False) | {"alg": "PS256"}
    authenticate = authenticator(issuer, key_set=json.dumps({"keys": [member]}))
    assert await caller_of(authenticate, issuer.token(kid="rsa", algorithm="PS256"))
    await refusal(authenticate, issuer.token(kid="rsa", algorithm="RS256"))


async def test_only_algorithms_of_the_list_are_taken(issuer: Issuer) -> None:
    authenticate = authenticator(issuer, algorithms=("RS256",))
    assert await caller_of(authenticate, issuer.token(kid="rsa"))
    await refusal(authenticate, issuer.token(kid="one"))
    with pytest.raises(ValueError, match="signed by one of"):
        authenticator(issuer, algorithms=("HS256",))


async def test_without_a_kid_there_must_be_one_key() -> None:
    issuer = Issuer()
    nameless = json.dumps(
        {"keys": [{k: v for k, v in issuer.keys["one"].as_dict(private=False).items() if k != "kid"}]}
    )
    for key_set in (nameless, issuer.key_set()):
        assert await caller_of(authenticator(issuer, key_set=key_set), issuer.token(header={"kid": None}))
    await refusal(authenticator(issuer, key_set=nameless), issuer.token())
    two = Issuer(one="P-256", two="P-256")
    await refusal(authenticator(two), two.token(header={"kid": None}))


async def _same(text: str) -> str:
    return text


async def _text(issuer: Issuer) -> str:
    return issuer.key_set()


def test_the_issuers_clock_is_near_ours() -> None:
    assert abs((MovedClock().now() - datetime.now(UTC)).total_seconds()) < 2
