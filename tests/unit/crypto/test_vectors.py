"""Vectors of Wycheproof and NIST, through our functions wherever these can express them.

Where they cannot (HKDF), the vectors check the primitive as we call it.
"""

from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from vectors.reader import read_nist_key_unwrap, read_wycheproof

from keyferry_server.crypto.mac import is_mac
from keyferry_server.crypto.root_key import RootKeyMismatchError
from keyferry_server.crypto.root_key.aes import AesRootKey
from keyferry_server.crypto.secret import Secret
from keyferry_server.crypto.wrapping import unwrap_key_material
from keyferry_server.crypto.wrapping.rsa_aes_key_wrap import unwrap_kwp
from keyferry_server.crypto.wrapping.wrapping_key import WrappingPrivateKey, load_wrapping_private_key
from keyferry_server.domain.errors import InvalidCiphertextException, ValidationException
from keyferry_server.domain.key_material import WrappingAlgorithm
from keyferry_server.domain.key_specs import MacAlgorithm

OAEP_OF = {"SHA-1": WrappingAlgorithm.RSAES_OAEP_SHA_1, "SHA-256": WrappingAlgorithm.RSAES_OAEP_SHA_256}
LARGEST_MODULUS_BITS = 4096  # larger ones are never generated, and slow
REFUSED = "refused"
WRONG_LENGTH = "wrong length"


def _unwrap(private_key: WrappingPrivateKey, algorithm: WrappingAlgorithm, encrypted: str) -> bytes | str:
    try:
        return unwrap_key_material(algorithm, private_key, bytes.fromhex(encrypted)).reveal()
    except InvalidCiphertextException:
        return REFUSED
    except ValidationException:
        return WRONG_LENGTH


def _expected(group: dict[str, Any], test: dict[str, Any], algorithm: WrappingAlgorithm) -> bytes | str:
    if len(test["ct"]) * 4 != group["keySize"]:
        return WRONG_LENGTH
    ours = group["sha"] == group["mgfSha"] and OAEP_OF.get(group["sha"]) is algorithm and not test["label"]
    return bytes.fromhex(test["msg"]) if ours and test["result"] == "valid" else REFUSED


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("rsa_oaep_2048_sha1_mgf1sha1", 10),
        ("rsa_oaep_2048_sha256_mgf1sha256", 10),
        ("rsa_oaep_3072_sha256_mgf1sha256", 10),
        ("rsa_oaep_4096_sha256_mgf1sha256", 10),
        ("rsa_oaep_misc", 27),
    ],
)
def test_wycheproof_oaep_unwraps_what_is_valid_without_a_label_and_in_our_hashes_and_refuses_all_else(
    name: str, valid: int
) -> None:
    unwrapped = 0
    for group, test in read_wycheproof(name):
        if group["keySize"] > LARGEST_MODULUS_BITS:
            continue
        private_key = load_wrapping_private_key(Secret(bytes.fromhex(group["privateKeyPkcs8"])))
        for algorithm in OAEP_OF.values():
            expected = _expected(group, test, algorithm)
            assert _unwrap(private_key, algorithm, test["ct"]) == expected, (
                f"{name} {test['tcId']} {algorithm}"
            )
            unwrapped += isinstance(expected, bytes)
    assert unwrapped == valid


def test_wycheproof_kwp_unwraps_what_is_valid_and_refuses_all_else() -> None:
    for group, test in read_wycheproof("aes_kwp"):
        unwrapped = unwrap_kwp(Secret(bytes.fromhex(test["key"])), bytes.fromhex(test["ct"]))
        got = None if unwrapped is None else unwrapped.reveal()
        expected = bytes.fromhex(test["msg"]) if test["result"] == "valid" else None
        assert got == expected, f"{group['keySize']} {test['tcId']}: {test['comment']}"


def test_nist_kwp_unwraps_what_is_valid_and_refuses_all_else() -> None:
    vectors = read_nist_key_unwrap("KWP_AD_256")
    assert len(vectors) == 500
    assert sum(vector.unwrapped is None for vector in vectors) == 100
    for vector in vectors:
        unwrapped = unwrap_kwp(Secret(vector.key), vector.wrapped)
        assert (None if unwrapped is None else unwrapped.reveal()) == vector.unwrapped


def test_wycheproof_aes_gcm_decrypts_what_is_valid_as_a_root_key_and_refuses_all_else() -> None:
    vectors = [
        test for group, test in read_wycheproof("aes_gcm") if (group["keySize"], group["ivSize"]) == (256, 96)
    ]
    assert len(vectors) == 66
    for test in vectors:
        root_key = AesRootKey({1: Secret(bytes.fromhex(test["key"]))})
        ciphertext = bytes.fromhex(test["iv"] + test["ct"] + test["tag"])
        if test["result"] == "valid":
            assert root_key.decrypt(1, ciphertext, bytes.fromhex(test["aad"])).hex() == test["msg"], test[
                "tcId"
            ]
        else:
            with pytest.raises(RootKeyMismatchError):
                root_key.decrypt(1, ciphertext, bytes.fromhex(test["aad"]))


def test_wycheproof_hkdf_derives_what_is_expected() -> None:
    vectors = [test for _, test in read_wycheproof("hkdf_sha256") if test["result"] == "valid"]
    assert len(vectors) == 83
    for test in vectors:
        salt, info = bytes.fromhex(test["salt"]), bytes.fromhex(test["info"])
        derived = HKDF(SHA256(), test["size"], salt or None, info).derive(bytes.fromhex(test["ikm"]))
        assert derived.hex() == test["okm"], test["tcId"]


def test_wycheproof_hmac_tags_are_ours_only_where_they_are_valid() -> None:
    vectors = [test for group, test in read_wycheproof("hmac_sha256") if group["tagSize"] == 256]
    assert len(vectors) == 87
    for test in vectors:
        key, message, tag = (bytes.fromhex(test[name]) for name in ("key", "msg", "tag"))
        valid = is_mac(MacAlgorithm.HMAC_SHA_256, Secret(key), message, tag)
        assert valid == (test["result"] == "valid"), test["tcId"]
