"""No secret is written that is sealed under a version of the root key that was removed, or that nobody has shown.

Servers of the previous release seal under no other version unless they were cut off from the database for minutes.
"""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add a function for each name of a sealed column, and to each table a trigger that calls it."""
    for column in ("sealed", "sealed_private_key", "sealed_secret"):
        # Bytes 2 to 5, which get_byte counts from 0, are the version, big endian.
        op.execute(f"""
    CREATE FUNCTION check_version_of_{column}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        sealed_under bigint := (get_byte(NEW.{column}, 1)::bigint << 24) | (get_byte(NEW.{column}, 2) << 16)
            | (get_byte(NEW.{column}, 3) << 8) | get_byte(NEW.{column}, 4);
    BEGIN
        IF NOT EXISTS (SELECT FROM root_key_versions WHERE version = sealed_under) THEN
            RAISE EXCEPTION 'version % of the root key seals nothing any more', sealed_under
                USING ERRCODE = 'object_not_in_prerequisite_state', TABLE = TG_TABLE_NAME, COLUMN = '{column}';
        END IF;
        RETURN NEW;
    END
    $$
""")
    for table, column in (
        ("access_keys", "sealed_secret"),
        ("import_tokens", "sealed_private_key"),
        ("installation", "sealed_secret"),
        ("key_materials", "sealed"),
    ):
        op.execute(f"""
    CREATE TRIGGER check_root_key_version BEFORE INSERT OR UPDATE OF {column} ON {table}
        FOR EACH ROW WHEN (NEW.{column} IS NOT NULL) EXECUTE FUNCTION check_version_of_{column}()
""")
