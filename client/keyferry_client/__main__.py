"""`python -m keyferry_client` is the `keyferry` command."""

from keyferry_client.cli import main

main()
