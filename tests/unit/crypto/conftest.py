from collections.abc import Mapping

import pytest

from keyferry_server.crypto.wrapping.wrapping_key import (
    RSA_MODULUS_BITS,
    WrappingKeyPair,
    generate_wrapping_key_pair,
)
from keyferry_server.domain.key_material import WrappingKeySpec


@pytest.fixture(scope="session")
def wrapping_key_pairs() -> Mapping[WrappingKeySpec, WrappingKeyPair]:
    return {spec: generate_wrapping_key_pair(spec) for spec in RSA_MODULUS_BITS}
