"""The command `keyferry-server`, and `python -m keyferry_server`."""

import sys


def main() -> None:
    """Run the command line. Ctrl-C also ends it silently while it is still being imported, which takes a while."""
    try:
        from keyferry_server.cli import main as run  # noqa: PLC0415 -- inside of the try

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
