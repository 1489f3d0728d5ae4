"""Multi-Region keys: a key is named by its key ID and its Region, here and in all that is its own.

A server of before cannot write to the new schema, and no release came before it. Every
table that belongs to keys is written anew in one transaction, which keeps everybody
out while it lasts: seconds for a million keys.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_OWNED = ("key_materials", "import_tokens", "import_receipts", "key_usages", "key_tags", "grants")
_PRIMARY_KEYS = {
    "key_materials": ["key_id", "region", "key_material_id"],
    "key_usages": ["key_id", "region"],
    "key_tags": ["key_id", "region", "tag_key"],
}


def upgrade() -> None:
    """Give every row its key's Region, and make it part of the keys' names."""
    op.execute("SET LOCAL statement_timeout = '1h'")
    for table in (*_OWNED, "aliases"):
        op.drop_constraint(f"fk_{table}_keys", table, type_="foreignkey")
    op.drop_constraint("pk_keys", "keys", type_="primary")
    op.create_primary_key("pk_keys", "keys", ["key_id", "region"])

    for table in _OWNED:
        op.add_column(table, sa.Column("region", sa.Text))
        op.execute(f"UPDATE {table} SET region = keys.region FROM keys WHERE keys.key_id = {table}.key_id")  # noqa: S608
        op.alter_column(table, "region", nullable=False)
    for table, key_columns in _PRIMARY_KEYS.items():
        op.drop_constraint(f"pk_{table}", table, type_="primary")
        op.create_primary_key(f"pk_{table}", table, key_columns)
    for table in (*_OWNED, "aliases"):
        op.create_foreign_key(
            f"fk_{table}_keys", table, "keys", ["key_id", "region"], ["key_id", "region"], ondelete="CASCADE"
        )

    for state in ("current", "pending"):
        op.drop_index(f"uq_key_materials_{state}", "key_materials")
    for state, name in (("current", "CURRENT"), ("pending", "PENDING_ROTATION")):
        op.create_index(
            f"uq_key_materials_{state}",
            "key_materials",
            ["key_id", "region"],
            unique=True,
            postgresql_where=sa.text(f"state = '{name}'"),
        )
    indexes: tuple[tuple[str, list[str]], ...] = (
        ("import_tokens", []),
        ("import_receipts", ["imported_at", "token_id"]),
        ("aliases", []),
        ("grants", ["grant_id"]),
        ("grants", ["grantee"]),
    )
    for table, columns in indexes:
        op.drop_index("_".join(("ix", table, "key_id", *columns)), table)
        op.create_index(
            "_".join(("ix", table, "key_id", "region", *columns)), table, ["key_id", "region", *columns]
        )

    op.alter_column(
        "key_materials",
        "sealed",
        comment="sealed under the root key for this material of this key, in whichever Region; null: the bytes are gone",
    )
    op.add_column(
        "keys",
        sa.Column(
            "primary_region",
            sa.Text,
            comment="where the primary key of a multi-Region key is, the same for all its keys; null: a single-Region key",
        ),
    )
    op.alter_column(
        "keys",
        "deletion_window_days",
        comment="without a deletion date: the waiting period begins when the last replica key is gone",
    )
    op.drop_constraint("ck_keys_deletion_entirely_or_not", "keys", type_="check")
    op.create_check_constraint(
        "ck_keys_deletion_has_a_waiting_period",
        "keys",
        "deletion_window_days IS NOT NULL OR deletion_date IS NULL",
    )
    op.create_check_constraint(
        "ck_keys_only_primary_keys_wait_for_replica_keys",
        "keys",
        "deletion_window_days IS NULL OR deletion_date IS NOT NULL OR primary_region = region",
    )
    op.create_check_constraint(
        "ck_keys_multi_region_key_id", "keys", "(key_id LIKE 'mrk-%') = (primary_region IS NOT NULL)"
    )
    op.create_index(
        "ix_keys_pending_replica_deletion",
        "keys",
        ["key_id"],
        postgresql_where=sa.text("deletion_window_days IS NOT NULL AND deletion_date IS NULL"),
    )
