"""THE INDEX of the API: every RPC with its permission, key states, identifiers and deadline.

Start reading here. The server is built from this table; a test compares it with
the service descriptor, the operation files and the client.
"""

from keyferry_server.authz.permission import Permission
from keyferry_server.call import Route
from keyferry_server.domain.identifiers import Accepts
from keyferry_server.domain.key import (
    ANY_STATE,
    CRYPTOGRAPHIC,
    LEAVING,
    NOT_LEAVING,
    ROTATING_ON_A_PERIOD,
    SHOWING_ROTATION,
    SWITCHING,
)
from keyferry_server.operations.cancel_key_deletion import CancelKeyDeletion
from keyferry_server.operations.create_alias import CreateAlias
from keyferry_server.operations.create_grant import CreateGrant
from keyferry_server.operations.create_key import CreateKey
from keyferry_server.operations.decrypt import Decrypt
from keyferry_server.operations.delete_alias import DeleteAlias
from keyferry_server.operations.delete_imported_key_material import DeleteImportedKeyMaterial
from keyferry_server.operations.derive_shared_secret import DeriveSharedSecret
from keyferry_server.operations.describe_key import DescribeKey
from keyferry_server.operations.disable_key import DisableKey
from keyferry_server.operations.disable_key_rotation import DisableKeyRotation
from keyferry_server.operations.enable_key import EnableKey
from keyferry_server.operations.enable_key_rotation import EnableKeyRotation
from keyferry_server.operations.encrypt import Encrypt
from keyferry_server.operations.explain_access import ExplainAccess
from keyferry_server.operations.generate_data_key import GenerateDataKey
from keyferry_server.operations.generate_data_key_pair import GenerateDataKeyPair
from keyferry_server.operations.generate_data_key_pair_without_plaintext import (
    GenerateDataKeyPairWithoutPlaintext,
)
from keyferry_server.operations.generate_data_key_without_plaintext import GenerateDataKeyWithoutPlaintext
from keyferry_server.operations.generate_mac import GenerateMac
from keyferry_server.operations.generate_random import GenerateRandom
from keyferry_server.operations.get_key_last_usage import GetKeyLastUsage
from keyferry_server.operations.get_key_policy import GetKeyPolicy
from keyferry_server.operations.get_key_rotation_status import GetKeyRotationStatus
from keyferry_server.operations.get_parameters_for_import import GetParametersForImport
from keyferry_server.operations.get_public_key import GetPublicKey
from keyferry_server.operations.import_key_material import ImportKeyMaterial
from keyferry_server.operations.list_aliases import ListAliases
from keyferry_server.operations.list_grants import ListGrants
from keyferry_server.operations.list_import_receipts import ListImportReceipts
from keyferry_server.operations.list_import_tokens import ListImportTokens
from keyferry_server.operations.list_key_policies import ListKeyPolicies
from keyferry_server.operations.list_key_rotations import ListKeyRotations
from keyferry_server.operations.list_keys import ListKeys
from keyferry_server.operations.list_resource_tags import ListResourceTags
from keyferry_server.operations.list_retirable_grants import ListRetirableGrants
from keyferry_server.operations.put_key_policy import PutKeyPolicy
from keyferry_server.operations.re_encrypt import ReEncrypt
from keyferry_server.operations.replicate_key import ReplicateKey
from keyferry_server.operations.retire_grant import RetireGrant
from keyferry_server.operations.revoke_grant import RevokeGrant
from keyferry_server.operations.revoke_import_token import RevokeImportToken
from keyferry_server.operations.rotate_key_on_demand import RotateKeyOnDemand
from keyferry_server.operations.schedule_key_deletion import ScheduleKeyDeletion
from keyferry_server.operations.sign import Sign
from keyferry_server.operations.tag_resource import TagResource
from keyferry_server.operations.untag_resource import UntagResource
from keyferry_server.operations.update_alias import UpdateAlias
from keyferry_server.operations.update_key_description import UpdateKeyDescription
from keyferry_server.operations.update_primary_region import UpdatePrimaryRegion
from keyferry_server.operations.verify import Verify
from keyferry_server.operations.verify_mac import VerifyMac

NO_KEY, KEY_ONLY, OR_ALIAS = Accepts.NO_KEY, Accepts.KEY_ID_OR_ARN, Accepts.KEY_OR_ALIAS
P = Permission

# fmt: off
ROUTES = (
    #     operation                        permissions                               key states            accepts   seconds
    Route(CreateKey,                       (P.CREATE_KEY,),                          ANY_STATE,            NO_KEY,   10),
    Route(DescribeKey,                     (P.DESCRIBE_KEY,),                        ANY_STATE,            OR_ALIAS, 10),
    Route(ListKeys,                        (P.LIST_KEYS,),                           ANY_STATE,            NO_KEY,   10),
    Route(EnableKey,                       (P.ENABLE_KEY,),                          SWITCHING,            KEY_ONLY, 10),
    Route(DisableKey,                      (P.DISABLE_KEY,),                         SWITCHING,            KEY_ONLY, 10),
    Route(GetParametersForImport,          (P.GET_PARAMETERS_FOR_IMPORT,),           NOT_LEAVING,          KEY_ONLY, 30),
    Route(ImportKeyMaterial,               (P.IMPORT_KEY_MATERIAL,),                 NOT_LEAVING,          KEY_ONLY, 20),
    Route(DeleteImportedKeyMaterial,       (P.DELETE_IMPORTED_KEY_MATERIAL,),        ANY_STATE,            KEY_ONLY, 10),
    Route(Encrypt,                         (P.ENCRYPT,),                             CRYPTOGRAPHIC,        OR_ALIAS, 10),
    Route(Decrypt,                         (P.DECRYPT,),                             CRYPTOGRAPHIC,        OR_ALIAS, 10),
    Route(ReEncrypt,                       (P.RE_ENCRYPT_FROM, P.RE_ENCRYPT_TO),     CRYPTOGRAPHIC,        OR_ALIAS, 10),
    Route(GenerateDataKey,                 (P.GENERATE_DATA_KEY,),                   CRYPTOGRAPHIC,        OR_ALIAS, 10),
    Route(GenerateDataKeyWithoutPlaintext, (P.GENERATE_DATA_KEY_WITHOUT_PLAINTEXT,), CRYPTOGRAPHIC,        OR_ALIAS, 10),
    Route(GenerateRandom,                  (P.GENERATE_RANDOM,),                     ANY_STATE,            NO_KEY,   10),
    Route(ScheduleKeyDeletion,             (P.SCHEDULE_KEY_DELETION,),               NOT_LEAVING,          KEY_ONLY, 10),
    Route(CancelKeyDeletion,               (P.CANCEL_KEY_DELETION,),                 LEAVING,              KEY_ONLY, 10),
    Route(EnableKeyRotation,               (P.ENABLE_KEY_ROTATION,),                 ROTATING_ON_A_PERIOD, KEY_ONLY, 10),
    Route(DisableKeyRotation,              (P.DISABLE_KEY_ROTATION,),                ROTATING_ON_A_PERIOD, KEY_ONLY, 10),
    Route(GetKeyRotationStatus,            (P.GET_KEY_ROTATION_STATUS,),             SHOWING_ROTATION,     KEY_ONLY, 10),
    Route(RotateKeyOnDemand,               (P.ROTATE_KEY_ON_DEMAND,),                CRYPTOGRAPHIC,        KEY_ONLY, 10),
    Route(ListKeyRotations,                (P.LIST_KEY_ROTATIONS,),                  ANY_STATE,            KEY_ONLY, 10),
    Route(Sign,                            (P.SIGN,),                                CRYPTOGRAPHIC,        OR_ALIAS, 10),
    Route(Verify,                          (P.VERIFY,),                              CRYPTOGRAPHIC,        OR_ALIAS, 10),
    Route(GetPublicKey,                    (P.GET_PUBLIC_KEY,),                      NOT_LEAVING,          OR_ALIAS, 10),
    Route(GenerateMac,                     (P.GENERATE_MAC,),                        CRYPTOGRAPHIC,        OR_ALIAS, 10),
    Route(VerifyMac,                       (P.VERIFY_MAC,),                          CRYPTOGRAPHIC,        OR_ALIAS, 10),
    Route(DeriveSharedSecret,              (P.DERIVE_SHARED_SECRET,),                CRYPTOGRAPHIC,        OR_ALIAS, 10),
    Route(GenerateDataKeyPair,             (P.GENERATE_DATA_KEY_PAIR,),              CRYPTOGRAPHIC,        OR_ALIAS, 10),
    Route(GenerateDataKeyPairWithoutPlaintext, (P.GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT,), CRYPTOGRAPHIC, OR_ALIAS, 10),
    Route(GetKeyLastUsage,                 (P.GET_KEY_LAST_USAGE,),                  ANY_STATE,            KEY_ONLY, 10),
    Route(UpdateKeyDescription,            (P.UPDATE_KEY_DESCRIPTION,),              NOT_LEAVING,          KEY_ONLY, 10),
    Route(CreateAlias,                     (P.CREATE_ALIAS,),                        NOT_LEAVING,          KEY_ONLY, 10),
    Route(UpdateAlias,                     (P.UPDATE_ALIAS,),                        NOT_LEAVING,          KEY_ONLY, 10),
    Route(DeleteAlias,                     (P.DELETE_ALIAS,),                        ANY_STATE,            NO_KEY,   10),
    Route(ListAliases,                     (P.LIST_ALIASES,),                        ANY_STATE,            KEY_ONLY, 10),
    Route(TagResource,                     (P.TAG_RESOURCE,),                        NOT_LEAVING,          KEY_ONLY, 10),
    Route(UntagResource,                   (P.UNTAG_RESOURCE,),                      NOT_LEAVING,          KEY_ONLY, 10),
    Route(ListResourceTags,                (P.LIST_RESOURCE_TAGS,),                  ANY_STATE,            KEY_ONLY, 10),
    Route(GetKeyPolicy,                    (P.GET_KEY_POLICY,),                      ANY_STATE,            KEY_ONLY, 10),
    Route(PutKeyPolicy,                    (P.PUT_KEY_POLICY,),                      ANY_STATE,            KEY_ONLY, 10),
    Route(ListKeyPolicies,                 (P.LIST_KEY_POLICIES,),                   ANY_STATE,            KEY_ONLY, 10),
    Route(CreateGrant,                     (P.CREATE_GRANT,),                        CRYPTOGRAPHIC,        KEY_ONLY, 10),
    Route(ListGrants,                      (P.LIST_GRANTS,),                         ANY_STATE,            KEY_ONLY, 10),
    Route(ListRetirableGrants,             (P.LIST_RETIRABLE_GRANTS,),               ANY_STATE,            NO_KEY,   10),
    Route(RetireGrant,                     (P.RETIRE_GRANT,),                        ANY_STATE,            KEY_ONLY, 10),
    Route(RevokeGrant,                     (P.REVOKE_GRANT,),                        ANY_STATE,            KEY_ONLY, 10),
    Route(ReplicateKey,                    (P.REPLICATE_KEY,),                       CRYPTOGRAPHIC,        KEY_ONLY, 10),
    Route(UpdatePrimaryRegion,             (P.UPDATE_PRIMARY_REGION,),               CRYPTOGRAPHIC,        KEY_ONLY, 10),
    Route(ExplainAccess,                   (P.EXPLAIN_ACCESS,),                      ANY_STATE,            KEY_ONLY, 10),
    Route(ListImportTokens,                (P.LIST_IMPORT_TOKENS,),                  ANY_STATE,            KEY_ONLY, 10),
    Route(RevokeImportToken,               (P.REVOKE_IMPORT_TOKEN,),                 ANY_STATE,            KEY_ONLY, 10),
    Route(ListImportReceipts,              (P.LIST_IMPORT_RECEIPTS,),                ANY_STATE,            KEY_ONLY, 10),
)
# fmt: on
