"""The only room that speaks SQL: Postgres, through SQLAlchemy Core and asyncpg.

``tables``      the schema's only home; ``keyferry_migrations`` is how a database gets there
``database``    the pool, units of work, and how they end
``..._store``   one store per aggregate
``schema``      brings a database up to date, or refuses one that is not
``url``         database URLs as operators write them
``embedded``    a Postgres of our own, for a first run and for tests
"""
