"""The schema's only home. The migrations lead every database here, and a test compares the two.

Tables hold facts; the state of a key is derived from them at every read and
stored nowhere. What is sealed is opaque here. CHECK constraints hold what is true
of every release; sets that grow with releases (key specs, wrapping algorithms)
are the domain's, so that a new member needs no migration.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from keyferry_server.domain.sealed_places import SEALED_COLUMNS

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

installation = Table(
    "installation",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column(
        "sealed_secret",
        LargeBinary,
        nullable=False,
        comment="sealed under the root key; key material ids and import tokens depend on the secret in it, which never changes",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

keys = Table(
    "keys",
    metadata,
    # The keys of one multi-Region key have the same key ID, each in a Region of its own.
    Column("key_id", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column(
        "primary_region",
        Text,
        comment="where the primary key of a multi-Region key is, the same for all its keys; null: a single-Region key",
    ),
    Column("description", Text, nullable=False),
    Column("key_spec", Text, nullable=False),
    Column("key_usage", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column(
        "enabled",
        Boolean,
        nullable=False,
        comment="the administrator's switch, not the key state, which is derived from it and the rest",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("deletion_date", DateTime(timezone=True), comment="set: the key is pending deletion"),
    Column(
        "deletion_window_days",
        SmallInteger,
        comment="without a deletion date: the waiting period begins when the last replica key is gone",
    ),
    Column("rotation_period_days", SmallInteger, comment="null: no automatic rotation"),
    Column("next_rotation_date", DateTime(timezone=True)),
    Column(
        "policy",
        Text,
        comment="the key policy as its owner wrote it; null: the default one, which leaves it to the account",
    ),
    CheckConstraint("origin IN ('AWS_KMS', 'EXTERNAL')", name="origin"),
    CheckConstraint(
        "num_nonnulls(rotation_period_days, next_rotation_date) IN (0, 2)", name="rotation_entirely_or_not"
    ),
    CheckConstraint(
        "deletion_window_days IS NOT NULL OR deletion_date IS NULL", name="deletion_has_a_waiting_period"
    ),
    CheckConstraint(
        "deletion_window_days IS NULL OR deletion_date IS NOT NULL OR primary_region = region",
        name="only_primary_keys_wait_for_replica_keys",
    ),
    CheckConstraint("(key_id LIKE 'mrk-%') = (primary_region IS NOT NULL)", name="multi_region_key_id"),
    # The work lists of the reaper and of the rotator.
    Index(
        "ix_keys_pending_replica_deletion",
        "key_id",
        postgresql_where=text("deletion_window_days IS NOT NULL AND deletion_date IS NULL"),
    ),
    Index(None, "deletion_date", postgresql_where=text("deletion_date IS NOT NULL")),
    Index(None, "next_rotation_date", postgresql_where=text("next_rotation_date IS NOT NULL")),
    # ListKeys: one page is one range of it.
    Index(None, "account_id", "region", "key_id"),
)


def _of_key() -> ForeignKeyConstraint:
    """What is a key's own ends with it."""
    return ForeignKeyConstraint(["key_id", "region"], [keys.c.key_id, keys.c.region], ondelete="CASCADE")


key_materials = Table(
    "key_materials",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    _of_key(),
    Column(
        "key_material_id",
        Text,
        primary_key=True,
        comment="outlives the bytes: by it the same material is known again when it is imported again",
    ),
    Column("state", Text, nullable=False),
    Column(
        "sealed",
        LargeBinary,
        comment="sealed under the root key for this material of this key, in whichever Region; null: the bytes are gone",
    ),
    Column(
        "valid_to",
        DateTime(timezone=True),
        comment="from then on the material counts as gone, wiped or not; null: it does not expire",
    ),
    Column("imported_at", DateTime(timezone=True), nullable=False),
    Column("description", Text),
    Column("rotation_date", DateTime(timezone=True)),
    Column("rotation_type", Text),
    Column(
        "public_key",
        LargeBinary,
        comment="of an asymmetric key; outlives the bytes. Never used before it was found to belong to the key material id",
    ),
    CheckConstraint("key_material_id ~ '^[0-9a-f]{64}$'", name="key_material_id"),
    CheckConstraint("state IN ('CURRENT', 'NON_CURRENT', 'PENDING_ROTATION')", name="state"),
    CheckConstraint("sealed IS NOT NULL OR valid_to IS NULL", name="nothing_expires_twice"),
    CheckConstraint("num_nonnulls(rotation_date, rotation_type) IN (0, 2)", name="rotation_entirely_or_not"),
    CheckConstraint("rotation_type IN ('AUTOMATIC', 'ON_DEMAND')", name="rotation_type"),
    Index(
        "uq_key_materials_current",
        "key_id",
        "region",
        unique=True,
        postgresql_where=text("state = 'CURRENT'"),
    ),
    Index(
        "uq_key_materials_pending",
        "key_id",
        "region",
        unique=True,
        postgresql_where=text("state = 'PENDING_ROTATION'"),
    ),
    # The sweeper's work list: only what still has bytes to wipe.
    Index(None, "valid_to", postgresql_where=text("sealed IS NOT NULL")),
    # What is sealed under which version of the root key: its four bytes in crypto/sealing.py's header.
    Index(
        "ix_key_materials_root_key_version",
        text("substring(sealed, 2, 4)"),
        postgresql_where=text("sealed IS NOT NULL"),
    ),
)

import_tokens = Table(
    "import_tokens",
    metadata,
    Column("token_id", Uuid, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("region", Text, nullable=False),
    _of_key(),
    Index(None, "key_id", "region"),
    Column("wrapping_algorithm", Text, nullable=False),
    Column("wrapping_key_spec", Text, nullable=False),
    Column(
        "sealed_private_key",
        LargeBinary,
        comment="the wrapping private key, sealed under the root key for this row; null: the token is spent",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("valid_to", DateTime(timezone=True), nullable=False, index=True),
    Column("spent_at", DateTime(timezone=True)),
    Column(
        "request_digest",
        LargeBinary,
        comment="SHA-256 of the import that spent the token: its repetition gets the same answer",
    ),
    Column("key_material_id", Text, comment="what the import that spent the token imported"),
    CheckConstraint(
        "num_nonnulls(spent_at, request_digest, key_material_id) IN (0, 3)", name="spent_entirely_or_not"
    ),
    CheckConstraint("(sealed_private_key IS NULL) = (spent_at IS NOT NULL)", name="spent_keeps_no_key"),
    CheckConstraint("octet_length(request_digest) = 32", name="request_digest"),
    Index(
        "ix_import_tokens_root_key_version",
        text("substring(sealed_private_key, 2, 4)"),
        postgresql_where=text("sealed_private_key IS NOT NULL"),
    ),
)

root_key_versions = Table(
    "root_key_versions",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "proof",
        LargeBinary,
        nullable=False,
        comment="a constant, encrypted under this version: only the right key opens it. It guards nothing and is never rewrapped",
    ),
    Column("added_at", DateTime(timezone=True), nullable=False),
    Column(
        "activated_at",
        DateTime(timezone=True),
        comment="since then every server seals under the highest version that has it; null: not every server knows the version yet",
    ),
    CheckConstraint("version BETWEEN 1 AND 4294967295", name="version"),
)

replicas = Table(
    "replicas",
    metadata,
    Column("replica_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, comment="host and process, for the operator"),
    Column("root_key_versions", ARRAY(BigInteger), nullable=False, comment="the versions that it can open"),
    Column("sealing_version", BigInteger, nullable=False, comment="the version that it seals under"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column(
        "alive_until",
        DateTime(timezone=True),
        nullable=False,
        comment="on the database's clock; renewed while the server runs. Past it nobody waits for the server",
    ),
)

# Not logged, and so empty after a crash of Postgres: everybody then starts with a full bucket.
rate_limits = Table(
    "rate_limits",
    metadata,
    Column("principal", Text, primary_key=True),
    Column(
        "name", Text, primary_key=True, comment="an operation, or * for all that have no limit of their own"
    ),
    Column(
        "tokens",
        Double,
        nullable=False,
        comment="calls that are left; below 0 if servers let through more than was left",
    ),
    Column(
        "refilled_at",
        DateTime(timezone=True),
        nullable=False,
        index=True,
        comment="on the database's clock: up to then the tokens are counted",
    ),
    prefixes=["UNLOGGED"],
)

import_receipts = Table(
    "import_receipts",
    metadata,
    Column("token_id", Uuid, primary_key=True, comment="outlives the row of the import token"),
    Column("key_id", Text, nullable=False),
    Column("region", Text, nullable=False),
    _of_key(),
    Column("key_material_id", Text, nullable=False),
    Column("wrapping_algorithm", Text, nullable=False),
    Column("wrapping_key_spec", Text, nullable=False),
    Column("imported_at", DateTime(timezone=True), nullable=False),
    Column("caller", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    # ListImportReceipts: one page is one range of it.
    Index(None, "key_id", "region", "imported_at", "token_id"),
)

key_usages = Table(
    "key_usages",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    _of_key(),
    Column("operation", Text, nullable=False),
    Column("used_at", DateTime(timezone=True), nullable=False),
    Column("request_id", Text, nullable=False),
)

aliases = Table(
    "aliases",
    metadata,
    # The primary key is the order of ListAliases: one page is one range of it.
    Column("account_id", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    Column("alias_name", Text(collation="C"), primary_key=True, comment="with its prefix alias/"),
    Column("key_id", Text, nullable=False),
    _of_key(),
    Index(None, "key_id", "region"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column(
        "updated_at", DateTime(timezone=True), nullable=False, comment="when it was last pointed at a key"
    ),
)

key_tags = Table(
    "key_tags",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    _of_key(),
    Column("tag_key", Text(collation="C"), primary_key=True),
    Column("tag_value", Text, nullable=False),
)

audit_records = Table(
    "audit_records",
    metadata,
    Column("chain_id", Uuid, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("happened_at", DateTime(timezone=True), nullable=False),
    Column("event", Text, nullable=False, comment="JSON, exactly as it was hashed"),
    Column("hash", LargeBinary, nullable=False, comment="over the record before it and this one"),
    # An export is one range of it.
    Index(None, "happened_at", "chain_id", "sequence"),
)

audit_chains = Table(
    "audit_chains",
    metadata,
    Column("chain_id", Uuid, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("anchored_sequence", BigInteger, nullable=False, comment="how far signed heads reach"),
    Index("ix_audit_chains_grown", "chain_id", postgresql_where=text("sequence > anchored_sequence")),
)

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False, comment="JSON, exactly as it was signed"),
    Column("signature", LargeBinary, nullable=False),
)

principals = Table(
    "principals",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="user or role; the roots of accounts have no row"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    # Lists of an account's principals: one page is one range of it.
    Index(None, "account_id", "arn"),
)

identity_policies = Table(
    "identity_policies",
    metadata,
    Column("principal_arn", Text, ForeignKey(principals.c.arn, ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("attached_at", DateTime(timezone=True), nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("grant_id", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("region", Text, nullable=False),
    _of_key(),
    Column("name", Text),
    Column("grantee", Text, nullable=False),
    Column("retiring", Text),
    Column("issuing_account", Text, nullable=False),
    Column("operations", ARRAY(Text), nullable=False),
    Column(
        "context_equals",
        JSONB(none_as_null=True),
        comment="what the encryption context must be; null: anything",
    ),
    Column(
        "context_subset",
        JSONB(none_as_null=True),
        comment="what the encryption context must contain; null: nothing",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("grant_id ~ '^[0-9a-f]{64}$'", name="grant_id"),
    # ListGrants: one page is one range of it.
    Index(None, "key_id", "region", "grant_id"),
    # What a caller may do by grants.
    Index(None, "key_id", "region", "grantee"),
    # ListRetirableGrants.
    Index(None, "retiring", "grant_id", postgresql_where=text("retiring IS NOT NULL")),
)

access_keys = Table(
    "access_keys",
    metadata,
    Column("access_key_id", Text, primary_key=True),
    Column(
        "sealed_secret",
        LargeBinary,
        nullable=False,
        comment="the secret access key, sealed under the root key for this row: signatures are checked with it",
    ),
    Column("account_id", Text, nullable=False),
    Column("principal_arn", Text, nullable=False, comment="who signs with it; belongs to the account"),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_access_keys_root_key_version", text("substring(sealed_secret, 2, 4)")),
)

# Every change of a key, and of what belongs to it, is notified in its own transaction, whoever makes it:
# servers that have the key in memory listen (``change_feed``). So is every change of what callers may do
# and of what they sign with. What is notified is a name: a key ID, an ARN, an access key's id.
CHANGES = "keyferry_changes"
EVERYTHING = "*"


def _statement(sql: str) -> Any:
    return DDL(sql)  # type: ignore[no-untyped-call]  # SQLAlchemy's own


def _notify(name: str, value: str) -> Any:
    return _statement(f"""
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            PERFORM pg_notify('{CHANGES}', '{EVERYTHING}');
        END IF;
        IF TG_OP IN ('UPDATE', 'DELETE') THEN
            PERFORM pg_notify('{CHANGES}', OLD.{value});
        END IF;
        IF TG_OP IN ('INSERT', 'UPDATE') THEN
            PERFORM pg_notify('{CHANGES}', NEW.{value});
        END IF;
        RETURN NULL;
    END
    $$
""")


for _table, _column, _changes in (
    # A new key is in nobody's memory.
    (keys, "key_id", "UPDATE OR DELETE"),
    (key_materials, "key_id", "INSERT OR UPDATE OR DELETE"),
    (grants, "key_id", "INSERT OR UPDATE OR DELETE"),
    (aliases, "key_id", "INSERT OR UPDATE OR DELETE"),
    (key_tags, "key_id", "INSERT OR UPDATE OR DELETE"),
    (principals, "arn", "INSERT OR UPDATE OR DELETE"),
    (identity_policies, "principal_arn", "INSERT OR UPDATE OR DELETE"),
    (access_keys, "access_key_id", "INSERT OR UPDATE OR DELETE"),
):
    for _trigger in (
        f"change AFTER {_changes} ON {_table.name} FOR EACH ROW",
        f"truncation AFTER TRUNCATE ON {_table.name} FOR EACH STATEMENT",
    ):
        event.listen(
            _table,
            "after_create",
            _statement(f"CREATE TRIGGER notify_of_{_trigger} EXECUTE FUNCTION notify_{_column}()"),
        )
for _column in ("key_id", "arn", "principal_arn", "access_key_id"):
    event.listen(metadata, "before_create", _notify(f"notify_{_column}", _column))


def _check_version_of(column: str) -> Any:
    # Bytes 2 to 5, which get_byte counts from 0, are the version, big endian (``crypto/sealing.py``).
    return _statement(f"""
    CREATE FUNCTION check_version_of_{column}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        sealed_under bigint := (get_byte(NEW.{column}, 1)::bigint << 24) | (get_byte(NEW.{column}, 2) << 16)
            | (get_byte(NEW.{column}, 3) << 8) | get_byte(NEW.{column}, 4);
    BEGIN
        IF NOT EXISTS (SELECT FROM root_key_versions WHERE version = sealed_under) THEN
            RAISE EXCEPTION 'version %% of the root key seals nothing any more', sealed_under
                USING ERRCODE = 'object_not_in_prerequisite_state', TABLE = TG_TABLE_NAME, COLUMN = '{column}';
        END IF;
        RETURN NEW;
    END
    $$
""")


# What is sealed under a version of the root key that was removed, nobody could open: a server that was cut
# off for long may still try to write it.
for _sealed in SEALED_COLUMNS:
    event.listen(
        metadata.tables[_sealed.table],
        "after_create",
        _statement(f"""
    CREATE TRIGGER check_root_key_version BEFORE INSERT OR UPDATE OF {_sealed.column} ON {_sealed.table}
        FOR EACH ROW WHEN (NEW.{_sealed.column} IS NOT NULL) EXECUTE FUNCTION check_version_of_{_sealed.column}()
"""),
    )
for _column in sorted({one.column for one in SEALED_COLUMNS}):
    event.listen(metadata, "before_create", _check_version_of(_column))
