"""Start the next migration: ``python -m keyferry_migrations "add key aliases"``."""

import sys
from pathlib import Path

from alembic.script import ScriptDirectory

from keyferry_migrations.revisions import head_revision


def main(arguments: list[str]) -> int:
    """Write the next numbered file from the template and print its path; return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write('Say what it does: python -m keyferry_migrations "add key aliases"\n')
        return 2
    message = arguments[0].rstrip(".")
    number = int(head_revision()) + 1
    scripts = ScriptDirectory(Path(__file__).parent, file_template="%(rev)s_%(slug)s")
    script = scripts.generate_revision(f"{number:04d}", message[:1].upper() + message[1:])
    if script is None:
        raise AssertionError("Alembic wrote nothing")
    sys.stdout.write(f"{script.path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
