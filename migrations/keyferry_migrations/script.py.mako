"""${message}.

The law of migrations (delete this list, keep the law):

1. The previous release's server runs on the new schema, because it does so
   while servers are replaced one by one, and after a step back. Add first;
   remove what no release uses any more in a later release.
2. No data is lost without a decision record under docs/decisions, named here.
3. One migration is one transaction. What cannot run in one (CREATE INDEX
   CONCURRENTLY) is a migration of its own, in an autocommit block, and can be
   run again after it failed half way.
4. It waits 5 seconds for a lock and 5 minutes for a statement, then it is
   rolled back. A table in use is not rewritten: a new column is nullable or has
   a constant default, a new constraint is NOT VALID first and validated in the
   next migration, rows are changed in small portions. If that cannot be, raise
   the limit here with SET LOCAL and say why.
5. What was released is never edited. There is no downgrade: by 1 none is
   needed, and a mistake is corrected by the next migration.
6. It imports nothing of Keyferry: the code goes on, history does not.
   keyferry_server/storage/tables.py says what the schema is afterwards, and a
   test compares the two.
"""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message}."""
