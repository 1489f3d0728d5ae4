"""The history of Keyferry's database schema, and how a database is led through it.

``upgrade``, ``current_revision`` and ``head_revision`` are all that servers and
tests need; ``python -m keyferry_migrations "what it does"`` starts the next one.
"""

from keyferry_migrations.revisions import SchemaError, current_revision, head_revision, upgrade

__all__ = ["SchemaError", "current_revision", "head_revision", "upgrade"]
