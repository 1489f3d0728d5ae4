"""AWS's published table of operations and key states, transcribed from its documentation, not from the server.

Columns are the states Enabled, Disabled, PendingDeletion, PendingImport; first of a
key with imported material (EXTERNAL), then of one whose material the service
generated (AWS_KMS), which is never PendingImport. `ok` works; a number is the note
that tells how it fails.
"""

from keyferry_client.errors import (
    DisabledException,
    KMSInvalidStateException,
    ServiceError,
    UnsupportedOperationException,
)

_EXTERNAL = "origin is EXTERNAL which is not valid for this operation."
_AWS_KMS = "origin is AWS_KMS which is not valid for this operation."

NOTES: dict[str, tuple[type[ServiceError], str]] = {
    "1": (DisabledException, "is disabled."),
    "3": (KMSInvalidStateException, "is pending deletion."),
    "4": (KMSInvalidStateException, "is not pending deletion."),
    "5": (KMSInvalidStateException, "is pending import."),
    "6": (UnsupportedOperationException, _EXTERNAL),
    "9": (UnsupportedOperationException, _AWS_KMS),
}

# Where the published table leaves a choice (notes 2 and 3 for cryptographic operations,
# 8 and 9 for imports), the choice is the one of docs/differences-from-aws.md.
TABLE = """
                                      EXTERNAL         AWS_KMS
                                      E   D   PD  PI   E   D   PD
CancelKeyDeletion                     4   4   ok  4    4   4   ok
CreateAlias                           ok  ok  3   ok   ok  ok  3
CreateGrant                           ok  1   3   5    ok  1   3
Decrypt                               ok  1   3   5    ok  1   3
DeleteAlias                           ok  ok  ok  ok   ok  ok  ok
DeleteImportedKeyMaterial             ok  ok  ok  ok   9   9   9
DescribeKey                           ok  ok  ok  ok   ok  ok  ok
DisableKey                            ok  ok  3   5    ok  ok  3
DisableKeyRotation                    6   6   6   6    ok  1   3
EnableKey                             ok  ok  3   5    ok  ok  3
EnableKeyRotation                     6   6   6   6    ok  1   3
Encrypt                               ok  1   3   5    ok  1   3
GenerateDataKey                       ok  1   3   5    ok  1   3
GenerateDataKeyPair                   ok  1   3   5    ok  1   3
GenerateDataKeyPairWithoutPlaintext   ok  1   3   5    ok  1   3
GenerateDataKeyWithoutPlaintext       ok  1   3   5    ok  1   3
GetKeyPolicy                          ok  ok  ok  ok   ok  ok  ok
GetKeyRotationStatus                  ok  ok  ok  6    ok  ok  ok
GetParametersForImport                ok  ok  3   ok   9   9   9
ImportKeyMaterial                     ok  ok  3   ok   9   9   9
ListGrants                            ok  ok  ok  ok   ok  ok  ok
ListKeyPolicies                       ok  ok  ok  ok   ok  ok  ok
ListKeyRotations                      ok  ok  ok  ok   ok  ok  ok
ListResourceTags                      ok  ok  ok  ok   ok  ok  ok
PutKeyPolicy                          ok  ok  ok  ok   ok  ok  ok
ReEncrypt from                        ok  1   3   5    ok  1   3
ReEncrypt to                          ok  1   3   5    ok  1   3
RetireGrant                           ok  ok  ok  ok   ok  ok  ok
RevokeGrant                           ok  ok  ok  ok   ok  ok  ok
RotateKeyOnDemand                     ok  1   3   5    ok  1   3
ScheduleKeyDeletion                   ok  ok  3   ok   ok  ok  3
TagResource                           ok  ok  3   ok   ok  ok  3
UntagResource                         ok  ok  3   ok   ok  ok  3
UpdateAlias                           ok  ok  3   ok   ok  ok  3
UpdateKeyDescription                  ok  ok  3   ok   ok  ok  3
"""

# Not in the published table: newer than it, or Keyferry's own.
OURS = """
GetKeyLastUsage                       ok  ok  ok  ok   ok  ok  ok
ExplainAccess                         ok  ok  ok  ok   ok  ok  ok
ListImportReceipts                    ok  ok  ok  ok   9   9   9
ListImportTokens                      ok  ok  ok  ok   9   9   9
RevokeImportToken                     ok  ok  ok  ok   9   9   9
"""

# HMAC and asymmetric keys have them; `test_other_keys_in_every_state` walks them.
OF_OTHER_KEYS = {"DeriveSharedSecret", "GenerateMac", "GetPublicKey", "Sign", "Verify", "VerifyMac"}

# Only multi-Region keys have them; `aws_wire/test_multi_region` walks them through the states.
OF_MULTI_REGION_KEYS = {"ReplicateKey", "UpdatePrimaryRegion"}

# They concern no key, or its state is no matter to them.
NOT_TIED_TO_A_STATE = {"CreateKey", "GenerateRandom", "ListAliases", "ListKeys", "ListRetirableGrants"}

COLUMNS = (
    ("EXTERNAL", "ENABLED"),
    ("EXTERNAL", "DISABLED"),
    ("EXTERNAL", "PENDING_DELETION"),
    ("EXTERNAL", "PENDING_IMPORT"),
    ("AWS_KMS", "ENABLED"),
    ("AWS_KMS", "DISABLED"),
    ("AWS_KMS", "PENDING_DELETION"),
)


def outcomes() -> dict[str, dict[tuple[str, str], str]]:
    """Return the tables as outcome by operation, origin and state."""
    read = {}
    for line in (*TABLE.strip("\n").splitlines()[2:], *OURS.strip("\n").splitlines()):
        operation, cells = line[:38].strip(), line[38:].split()
        assert len(cells) == len(COLUMNS), line
        read[operation] = dict(zip(COLUMNS, cells, strict=True))
    return read
