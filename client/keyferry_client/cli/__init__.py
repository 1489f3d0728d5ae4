"""The `keyferry` command.

Exit codes::

    0    done
    1    refused, by the service or here: wrong key material, a damaged file, a file that cannot be read
    2    wrong usage
    3    no answer of the service: it cannot be reached, or the deadline passed
    130  interrupted by Ctrl-C
    143  ended by SIGTERM
    129  ended by SIGHUP

Answers go to standard output, everything else to standard error. Key material
comes from files or standard input, never from the command line, where every
process of the machine could read it.
"""

import importlib.util
import sys

from keyferry_client.cli import signals


def main() -> None:
    """Run the command line."""
    if importlib.util.find_spec("typer") is None:
        sys.stderr.write(
            "keyferry: the command needs more than the library: pip install 'keyferry-client[cli]'\n"
        )
        sys.exit(1)
    signals.end_in_order()
    try:
        from keyferry_client.cli.app import app  # noqa: PLC0415 -- needs the extra that was just looked for

        app(prog_name="keyferry")
    except KeyboardInterrupt:
        sys.exit(signals.exit_code())
