"""Every change of a key, of what callers may do and of what they sign with is notified, so that servers can keep them in memory.

Servers of the previous release do not listen, and change nothing about it.
"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add a function for each name that is notified, and to each table two triggers that call it."""
    for column in ("key_id", "arn", "principal_arn", "access_key_id"):
        op.execute(f"""
    CREATE FUNCTION notify_{column}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            PERFORM pg_notify('keyferry_changes', '*');
        END IF;
        IF TG_OP IN ('UPDATE', 'DELETE') THEN
            PERFORM pg_notify('keyferry_changes', OLD.{column});
        END IF;
        IF TG_OP IN ('INSERT', 'UPDATE') THEN
            PERFORM pg_notify('keyferry_changes', NEW.{column});
        END IF;
        RETURN NULL;
    END
    $$
""")
    for table, column, changes in (
        ("keys", "key_id", "UPDATE OR DELETE"),
        ("key_materials", "key_id", "INSERT OR UPDATE OR DELETE"),
        ("grants", "key_id", "INSERT OR UPDATE OR DELETE"),
        ("aliases", "key_id", "INSERT OR UPDATE OR DELETE"),
        ("key_tags", "key_id", "INSERT OR UPDATE OR DELETE"),
        ("principals", "arn", "INSERT OR UPDATE OR DELETE"),
        ("identity_policies", "principal_arn", "INSERT OR UPDATE OR DELETE"),
        ("access_keys", "access_key_id", "INSERT OR UPDATE OR DELETE"),
    ):
        for trigger in (
            f"change AFTER {changes} ON {table} FOR EACH ROW",
            f"truncation AFTER TRUNCATE ON {table} FOR EACH STATEMENT",
        ):
            op.execute(f"CREATE TRIGGER notify_of_{trigger} EXECUTE FUNCTION notify_{column}()")
