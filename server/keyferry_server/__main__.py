"""`python -m keyferry_server`."""

from keyferry_server.cli import main

if __name__ == "__main__":
    main()
