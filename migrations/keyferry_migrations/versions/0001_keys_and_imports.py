"""The first schema: the installation, keys, their key materials, and import tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the four tables."""
    op.create_table(
        "installation",
        sa.Column("id", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column(
            "sealed_secret",
            sa.LargeBinary,
            nullable=False,
            comment="sealed under the root key; key material ids and import tokens depend on the secret in it, which never changes",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
        sa.CheckConstraint("id = 1", name="ck_installation_one_row"),
    )

    op.create_table(
        "keys",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("key_spec", sa.Text, nullable=False),
        sa.Column("key_usage", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column(
            "enabled",
            sa.Boolean,
            nullable=False,
            comment="the administrator's switch, not the key state, which is derived from it and the rest",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deletion_date", sa.DateTime(timezone=True), comment="set: the key is pending deletion"),
        sa.PrimaryKeyConstraint("key_id", name="pk_keys"),
        sa.CheckConstraint("origin IN ('AWS_KMS', 'EXTERNAL')", name="ck_keys_origin"),
    )
    op.create_index("ix_keys_account_id_region_key_id", "keys", ["account_id", "region", "key_id"])

    op.create_table(
        "key_materials",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column(
            "key_material_id",
            sa.Text,
            nullable=False,
            comment="outlives the bytes: by it the same material is known again when it is imported again",
        ),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column(
            "sealed",
            sa.LargeBinary,
            comment="sealed under the root key for this row; null: the bytes are gone",
        ),
        sa.Column(
            "valid_to",
            sa.DateTime(timezone=True),
            comment="from then on the material counts as gone, wiped or not; null: it does not expire",
        ),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "key_material_id", name="pk_key_materials"),
        sa.ForeignKeyConstraint(
            ["key_id"], ["keys.key_id"], name="fk_key_materials_keys", ondelete="CASCADE"
        ),
        sa.CheckConstraint("key_material_id ~ '^[0-9a-f]{64}$'", name="ck_key_materials_key_material_id"),
        sa.CheckConstraint(
            "state IN ('CURRENT', 'NON_CURRENT', 'PENDING_ROTATION')", name="ck_key_materials_state"
        ),
        sa.CheckConstraint(
            "sealed IS NOT NULL OR valid_to IS NULL", name="ck_key_materials_nothing_expires_twice"
        ),
    )
    op.create_index(
        "uq_key_materials_current",
        "key_materials",
        ["key_id"],
        unique=True,
        postgresql_where=sa.text("state = 'CURRENT'"),
    )
    op.create_index(
        "ix_key_materials_valid_to",
        "key_materials",
        ["valid_to"],
        postgresql_where=sa.text("sealed IS NOT NULL"),
    )

    op.create_table(
        "import_tokens",
        sa.Column("token_id", sa.Uuid, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapping_algorithm", sa.Text, nullable=False),
        sa.Column("wrapping_key_spec", sa.Text, nullable=False),
        sa.Column(
            "sealed_private_key",
            sa.LargeBinary,
            comment="the wrapping private key, sealed under the root key for this row; null: the token is spent",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True)),
        sa.Column(
            "request_digest",
            sa.LargeBinary,
            comment="SHA-256 of the import that spent the token: its repetition gets the same answer",
        ),
        sa.Column("key_material_id", sa.Text, comment="what the import that spent the token imported"),
        sa.PrimaryKeyConstraint("token_id", name="pk_import_tokens"),
        sa.ForeignKeyConstraint(
            ["key_id"], ["keys.key_id"], name="fk_import_tokens_keys", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "num_nonnulls(spent_at, request_digest, key_material_id) IN (0, 3)",
            name="ck_import_tokens_spent_entirely_or_not",
        ),
        sa.CheckConstraint(
            "(sealed_private_key IS NULL) = (spent_at IS NOT NULL)",
            name="ck_import_tokens_spent_keeps_no_key",
        ),
        sa.CheckConstraint("octet_length(request_digest) = 32", name="ck_import_tokens_request_digest"),
    )
    op.create_index("ix_import_tokens_key_id", "import_tokens", ["key_id"])
    op.create_index("ix_import_tokens_valid_to", "import_tokens", ["valid_to"])
