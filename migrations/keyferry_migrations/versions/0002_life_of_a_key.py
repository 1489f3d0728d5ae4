"""The whole life of a key: scheduled deletion, rotation, several materials, receipts of imports, last use."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add columns that are null for every key there is, and two tables."""
    op.add_column("keys", sa.Column("deletion_window_days", sa.SmallInteger))
    op.add_column(
        "keys",
        sa.Column("rotation_period_days", sa.SmallInteger, comment="null: no automatic rotation"),
    )
    op.add_column("keys", sa.Column("next_rotation_date", sa.DateTime(timezone=True)))
    op.create_check_constraint(
        "ck_keys_deletion_entirely_or_not",
        "keys",
        "num_nonnulls(deletion_date, deletion_window_days) IN (0, 2)",
    )
    op.create_check_constraint(
        "ck_keys_rotation_entirely_or_not",
        "keys",
        "num_nonnulls(rotation_period_days, next_rotation_date) IN (0, 2)",
    )
    op.create_index(
        "ix_keys_deletion_date",
        "keys",
        ["deletion_date"],
        postgresql_where=sa.text("deletion_date IS NOT NULL"),
    )
    op.create_index(
        "ix_keys_next_rotation_date",
        "keys",
        ["next_rotation_date"],
        postgresql_where=sa.text("next_rotation_date IS NOT NULL"),
    )

    op.add_column("key_materials", sa.Column("description", sa.Text))
    op.add_column("key_materials", sa.Column("rotation_date", sa.DateTime(timezone=True)))
    op.add_column("key_materials", sa.Column("rotation_type", sa.Text))
    op.create_check_constraint(
        "ck_key_materials_rotation_entirely_or_not",
        "key_materials",
        "num_nonnulls(rotation_date, rotation_type) IN (0, 2)",
    )
    op.create_check_constraint(
        "ck_key_materials_rotation_type", "key_materials", "rotation_type IN ('AUTOMATIC', 'ON_DEMAND')"
    )
    op.create_index(
        "uq_key_materials_pending",
        "key_materials",
        ["key_id"],
        unique=True,
        postgresql_where=sa.text("state = 'PENDING_ROTATION'"),
    )

    op.create_table(
        "import_receipts",
        sa.Column("token_id", sa.Uuid, nullable=False, comment="outlives the row of the import token"),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("key_material_id", sa.Text, nullable=False),
        sa.Column("wrapping_algorithm", sa.Text, nullable=False),
        sa.Column("wrapping_key_spec", sa.Text, nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("token_id", name="pk_import_receipts"),
        sa.ForeignKeyConstraint(
            ["key_id"], ["keys.key_id"], name="fk_import_receipts_keys", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_import_receipts_key_id_imported_at_token_id",
        "import_receipts",
        ["key_id", "imported_at", "token_id"],
    )

    op.create_table(
        "key_usages",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_key_usages"),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name="fk_key_usages_keys", ondelete="CASCADE"),
    )
