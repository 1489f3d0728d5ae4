"""What all tests can ask for."""

import os

# gRPC's handlers of fork() crash the child when the parent has channels: tests start programs as
# another user (which forks) beside running servers; a server starts its Postgres before its gRPC.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

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
