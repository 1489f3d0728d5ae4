"""Root key versions, the servers that run, and rate limits; indexes by root key version.

The indexes are made in the transaction, which holds up writes to their tables while
it lasts: about a second for a million rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make three tables and two indexes."""
    op.create_index(
        "ix_key_materials_root_key_version",
        "key_materials",
        [sa.text("substring(sealed, 2, 4)")],
        postgresql_where=sa.text("sealed IS NOT NULL"),
    )
    op.create_index(
        "ix_import_tokens_root_key_version",
        "import_tokens",
        [sa.text("substring(sealed_private_key, 2, 4)")],
        postgresql_where=sa.text("sealed_private_key IS NOT NULL"),
    )

    op.create_table(
        "root_key_versions",
        sa.Column("version", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column(
            "proof",
            sa.LargeBinary,
            nullable=False,
            comment="a constant, encrypted under this version: only the right key opens it. It guards nothing and is never rewrapped",
        ),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "activated_at",
            sa.DateTime(timezone=True),
            comment="since then every server seals under the highest version that has it; null: not every server knows the version yet",
        ),
        sa.PrimaryKeyConstraint("version", name="pk_root_key_versions"),
        sa.CheckConstraint("version BETWEEN 1 AND 4294967295", name="ck_root_key_versions_version"),
    )

    op.create_table(
        "replicas",
        sa.Column("replica_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False, comment="host and process, for the operator"),
        sa.Column(
            "root_key_versions",
            sa.ARRAY(sa.BigInteger),
            nullable=False,
            comment="the versions that it can open",
        ),
        sa.Column(
            "sealing_version", sa.BigInteger, nullable=False, comment="the version that it seals under"
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "alive_until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="on the database's clock; renewed while the server runs. Past it nobody waits for the server",
        ),
        sa.PrimaryKeyConstraint("replica_id", name="pk_replicas"),
    )

    op.create_table(
        "rate_limits",
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column(
            "name",
            sa.Text,
            nullable=False,
            comment="an operation, or * for all that have no limit of their own",
        ),
        sa.Column(
            "tokens",
            sa.Double,
            nullable=False,
            comment="calls that are left; below 0 if servers let through more than was left",
        ),
        sa.Column(
            "refilled_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="on the database's clock: up to then the tokens are counted",
        ),
        sa.PrimaryKeyConstraint("principal", "name", name="pk_rate_limits"),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_rate_limits_refilled_at", "rate_limits", ["refilled_at"])
