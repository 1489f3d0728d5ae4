"""The public keys of asymmetric keys."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add a column that is null for every key material there is."""
    op.add_column(
        "key_materials",
        sa.Column(
            "public_key",
            sa.LargeBinary,
            comment="of an asymmetric key; outlives the bytes. Never used before it was found to belong to the key material id",
        ),
    )
