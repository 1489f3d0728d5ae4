"""Aliases and tags of keys."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "aliases",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("alias_name", sa.Text(collation="C"), nullable=False, comment="with its prefix alias/"),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when it was last pointed at a key",
        ),
        sa.PrimaryKeyConstraint("account_id", "region", "alias_name", name="pk_aliases"),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name="fk_aliases_keys", ondelete="CASCADE"),
    )
    op.create_index("ix_aliases_key_id", "aliases", ["key_id"])

    op.create_table(
        "key_tags",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("tag_key", sa.Text(collation="C"), nullable=False),
        sa.Column("tag_value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "tag_key", name="pk_key_tags"),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name="fk_key_tags_keys", ondelete="CASCADE"),
    )
