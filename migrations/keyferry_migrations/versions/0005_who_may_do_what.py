"""Who may do what: key policies, principals with their identity policies, and grants."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add a column that is null for every key there is, and three tables."""
    op.add_column(
        "keys",
        sa.Column(
            "policy",
            sa.Text,
            comment="the key policy as its owner wrote it; null: the default one, which leaves it to the account",
        ),
    )

    op.create_table(
        "principals",
        sa.Column("arn", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="user or role; the roots of accounts have no row"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("arn", name="pk_principals"),
    )
    op.create_index("ix_principals_account_id_arn", "principals", ["account_id", "arn"])

    op.create_table(
        "identity_policies",
        sa.Column("principal_arn", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("principal_arn", "name", name="pk_identity_policies"),
        sa.ForeignKeyConstraint(
            ["principal_arn"], ["principals.arn"], name="fk_identity_policies_principals", ondelete="CASCADE"
        ),
    )

    op.create_table(
        "grants",
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("grantee", sa.Text, nullable=False),
        sa.Column("retiring", sa.Text),
        sa.Column("issuing_account", sa.Text, nullable=False),
        sa.Column("operations", sa.ARRAY(sa.Text), nullable=False),
        sa.Column(
            "context_equals",
            postgresql.JSONB,
            comment="what the encryption context must be; null: anything",
        ),
        sa.Column(
            "context_subset",
            postgresql.JSONB,
            comment="what the encryption context must contain; null: nothing",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("grant_id", name="pk_grants"),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name="fk_grants_keys", ondelete="CASCADE"),
        sa.CheckConstraint("grant_id ~ '^[0-9a-f]{64}$'", name="ck_grants_grant_id"),
    )
    op.create_index("ix_grants_key_id_grant_id", "grants", ["key_id", "grant_id"])
    op.create_index("ix_grants_key_id_grantee", "grants", ["key_id", "grantee"])
    op.create_index(
        "ix_grants_retiring_grant_id",
        "grants",
        ["retiring", "grant_id"],
        postgresql_where=sa.text("retiring IS NOT NULL"),
    )
