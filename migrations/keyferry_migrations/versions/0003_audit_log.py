"""The audit log: records in chains, and the signed heads that anchor them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make three tables that are only ever added to, but for the ends of chains."""
    op.create_table(
        "audit_records",
        sa.Column("chain_id", sa.Uuid, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.Text, nullable=False, comment="JSON, exactly as it was hashed"),
        sa.Column("hash", sa.LargeBinary, nullable=False, comment="over the record before it and this one"),
        sa.PrimaryKeyConstraint("chain_id", "sequence", name="pk_audit_records"),
    )
    op.create_index(
        "ix_audit_records_happened_at_chain_id_sequence",
        "audit_records",
        ["happened_at", "chain_id", "sequence"],
    )
    op.create_table(
        "audit_chains",
        sa.Column("chain_id", sa.Uuid, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("anchored_sequence", sa.BigInteger, nullable=False, comment="how far signed heads reach"),
        sa.PrimaryKeyConstraint("chain_id", name="pk_audit_chains"),
    )
    op.create_index(
        "ix_audit_chains_grown",
        "audit_chains",
        ["chain_id"],
        postgresql_where=sa.text("sequence > anchored_sequence"),
    )
    op.create_table(
        "audit_heads",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("content", sa.Text, nullable=False, comment="JSON, exactly as it was signed"),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_heads"),
    )
