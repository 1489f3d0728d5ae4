"""HMAC and asymmetric keys in policies and grants: what can be asked of a request, what a grant can allow."""

from dataclasses import replace
from typing import Any

import pytest
from unit.server.test_key_specs import REFERENCE, SYMMETRIC

from keyferry.v1 import (
    CreateKeyRequest,
    DeriveSharedSecretRequest,
    GenerateDataKeyPairRequest,
    GenerateMacRequest,
    GetPublicKeyRequest,
    SignRequest,
    VerifyMacRequest,
    VerifyRequest,
)
from keyferry_server.authz.permission import ACROSS_ACCOUNTS, Permission
from keyferry_server.domain.errors import ValidationException
from keyferry_server.domain.grant import GrantConstraints, GrantOperation, GrantTerms, check_terms
from keyferry_server.domain.key import KeySpec, KeyUsage
from keyferry_server.wire.condition_keys import RequestFacts

EVERY_KEY = {"CreateGrant", "RetireGrant", "DescribeKey"}
OF_USAGE = {
    "ENCRYPT_DECRYPT": {"Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo"},
    "SIGN_VERIFY": {"Sign", "Verify"},
    "GENERATE_VERIFY_MAC": {"GenerateMac", "VerifyMac"},
    "KEY_AGREEMENT": {"DeriveSharedSecret"},
}
DATA_KEYS = {
    f"GenerateDataKey{pair}{without}" for pair in ("", "Pair") for without in ("", "WithoutPlaintext")
}
ALIAS = "arn:aws:kms:us-east-1:000000000000:alias/payroll"


def terms(*operations: str, constraints: GrantConstraints | None = None) -> GrantTerms:
    return GrantTerms(frozenset(map(GrantOperation, operations)), constraints or GrantConstraints())


@pytest.mark.parametrize(
    ("spec", "usage"), [(spec, usage) for spec, usages in REFERENCE.items() for usage in usages]
)
def test_a_grant_allows_what_the_key_can_be_used_for_and_no_more(spec: str, usage: str) -> None:
    key = replace(SYMMETRIC, key_spec=KeySpec(spec), key_usage=KeyUsage(usage))
    possible = EVERY_KEY | OF_USAGE[usage]
    possible |= DATA_KEYS if spec == "SYMMETRIC_DEFAULT" else set()
    possible |= {"GetPublicKey"} if spec.startswith(("RSA_", "ECC_")) else set()

    check_terms(terms(*possible), key)

    for operation in set(GrantOperation) - possible:
        with pytest.raises(ValidationException, match=f"key spec {spec} cannot allow {operation}. "):
            check_terms(terms(operation), key)


def test_a_grant_on_a_key_that_takes_no_encryption_context_has_no_constraints() -> None:
    hmac_key = replace(SYMMETRIC, key_spec=KeySpec.HMAC_256, key_usage=KeyUsage.GENERATE_VERIFY_MAC)
    for constraints in (GrantConstraints(equals={"a": "b"}), GrantConstraints(subset={"a": "b"})):
        check_terms(terms("Encrypt", constraints=constraints), SYMMETRIC)
        with pytest.raises(ValidationException, match="symmetric encryption keys only"):
            check_terms(terms("GenerateMac", constraints=constraints), hmac_key)


CONDITIONS: list[tuple[str, Any, str, tuple[str, ...]]] = [
    ("Sign", SignRequest(signing_algorithm=7), "kms:signingalgorithm", ("ECDSA_SHA_256",)),
    ("Sign", SignRequest(), "kms:messagetype", ("RAW",)),
    ("Verify", VerifyRequest(message_type=2), "kms:messagetype", ("DIGEST",)),
    ("Verify", VerifyRequest(signing_algorithm=1), "kms:signingalgorithm", ("RSASSA_PSS_SHA_256",)),
    ("GenerateMac", GenerateMacRequest(mac_algorithm=2), "kms:macalgorithm", ("HMAC_SHA_256",)),
    ("VerifyMac", VerifyMacRequest(mac_algorithm=1), "kms:macalgorithm", ("HMAC_SHA_224",)),
    (
        "DeriveSharedSecret",
        DeriveSharedSecretRequest(key_agreement_algorithm=1),
        "kms:keyagreementalgorithm",
        ("ECDH",),
    ),
    (
        "GenerateDataKeyPair",
        GenerateDataKeyPairRequest(key_pair_spec=4),
        "kms:datakeypairspec",
        ("ECC_NIST_P256",),
    ),
    (
        "GenerateDataKeyPairWithoutPlaintext",
        GenerateDataKeyPairRequest(encryption_context={"tenant": "7"}),
        "kms:encryptioncontext:tenant",
        ("7",),
    ),
    ("GetPublicKey", GetPublicKeyRequest(key_id=ALIAS), "kms:requestalias", ("alias/payroll",)),
    ("CreateKey", CreateKeyRequest(key_spec=2), "kms:keyspec", ("RSA_2048",)),
    # By its old name, too: else a policy that allows symmetric keys only could be taken in.
    ("CreateKey", CreateKeyRequest(customer_master_key_spec=2), "kms:keyspec", ("RSA_2048",)),
    (
        "CreateKey",
        CreateKeyRequest(customer_master_key_spec=2),
        "kms:customermasterkeyspec",
        ("RSA_2048",),
    ),
    ("CreateKey", CreateKeyRequest(), "kms:keyspec", ("SYMMETRIC_DEFAULT",)),
]


@pytest.mark.parametrize(("operation", "request_", "key", "values"), CONDITIONS)
def test_a_policy_can_ask_for_what_a_request_says(
    operation: str, request_: Any, key: str, values: tuple[str, ...]
) -> None:
    assert tuple(RequestFacts(f"kms:{operation}", request_, {}).values(key)) == values


def test_the_operations_of_other_keys_are_open_to_other_accounts_as_in_aws() -> None:
    operations = {"Sign", "Verify", "GenerateMac", "VerifyMac", "DeriveSharedSecret", "GetPublicKey"}
    assert {Permission(f"kms:{operation}") for operation in operations | DATA_KEYS} <= ACROSS_ACCOUNTS
