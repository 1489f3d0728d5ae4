"""What is wrong with the embedded Postgres, in words for the person who starts the server."""


class EmbeddedPostgresError(Exception):
    """The embedded Postgres cannot be used; the text says why and what to do."""
