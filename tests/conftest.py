"""What all tests can ask for."""

import os

# gRPC's handlers of fork() crash the child when the parent has channels: tests start programs as
# another user (which forks) beside running servers; a server starts its Postgres before its gRPC.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

# A hundred processes start in a run. Each would compile all that it imports, for 1.5 seconds, where
# the machine's environment forbids to keep what was compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = [
    "fixtures.postgres",
    "fixtures.ports",
    "fixtures.server",
    "fixtures.processes",
    "fixtures.softhsm",
    "fixtures.certificates",
    "fixtures.aws",
    "keyferry_client.testing",
    "fixtures.javascript",
]
