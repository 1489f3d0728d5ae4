"""The wires: the only rooms that know gRPC and HTTP."""

import os

# Before gRPC is imported: its core writes past every logger, and the log is one JSON object a line.
# What concerns us it also raises. Set it to `debug` to look into gRPC itself.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
