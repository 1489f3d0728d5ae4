"""The keys of a token issuer: a set that cannot be read changes nothing, and a new key is fetched once for all."""

import asyncio
import json

import pytest
from joserfc.jwk import ECKey

from keyferry_server.authn.token_keys import TokenKeys, TokenKeysError

ONE, TWO = (ECKey.generate_key("P-256", {"kid": kid}) for kid in ("one", "two"))


def key_set(*keys: ECKey) -> str:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]})


class Issuer:
    """Answers with `text` when it is allowed to, and counts how often it was asked."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def fetch(self) -> str:
        self.asked += 1
        await self.may_answer.wait()
        return self.text


@pytest.mark.parametrize("kty", [[], {}, ["RSA"], 1, None, "oct"])
async def test_a_set_without_a_usable_key_changes_nothing(kty: object) -> None:
    issuer = Issuer(key_set(ONE))
    keys = TokenKeys(issuer.fetch)
    await keys.fetch()
    issuer.text = json.dumps({"keys": [{"kty": kty, "n": "x", "e": "AQAB"}]})
    with pytest.raises(TokenKeysError):
        await keys.fetch()
    assert await keys.find("one") is not None


async def test_all_who_ask_for_a_new_key_wait_for_the_one_fetch_that_brings_it() -> None:
    issuer = Issuer(key_set(ONE))
    keys = TokenKeys(issuer.fetch)
    await keys.fetch()
    keys._fetched_at = float("-inf")
    issuer.text = key_set(ONE, TWO)
    issuer.may_answer.clear()
    asking = [asyncio.create_task(keys.find("two")) for _ in range(5)]
    for _ in range(20):
        await asyncio.sleep(0)
    issuer.may_answer.set()
    assert None not in await asyncio.gather(*asking)
    assert issuer.asked == 2
