"""Access keys, which sign requests on AWS's wire."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table of access keys."""
    op.create_table(
        "access_keys",
        sa.Column("access_key_id", sa.Text, nullable=False),
        sa.Column(
            "sealed_secret",
            sa.LargeBinary,
            nullable=False,
            comment="the secret access key, sealed under the root key for this row: signatures are checked with it",
        ),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column(
            "principal_arn", sa.Text, nullable=False, comment="who signs with it; belongs to the account"
        ),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("access_key_id", name="pk_access_keys"),
    )
    op.create_index(
        "ix_access_keys_root_key_version", "access_keys", [sa.text("substring(sealed_secret, 2, 4)")]
    )
