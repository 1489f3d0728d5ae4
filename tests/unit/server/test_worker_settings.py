"""A worker gets every setting of its supervisor over a pipe, secrets included, and nothing else."""

from pathlib import Path

from keyferry_server.settings import Settings
from keyferry_server.workers import decode_settings, encode_settings


def test_what_a_worker_reads_is_what_its_supervisor_was_told() -> None:
    settings = Settings(
        database_url="postgresql://keyferry:hunter2hunter2@db.internal/keyferry",  # type: ignore[arg-type]  # pydantic parses
        root_key_file=Path("/run/secrets/root-key"),
        grpc_listen="127.0.0.1:9000",  # type: ignore[arg-type]
        aws_listen="off",
        rate_limits="*=500,GetParametersForImport=0.5",  # type: ignore[arg-type]
        allowed_regions="us-east-1,eu-west-1",  # type: ignore[arg-type]
        workers=2,
        key_cache_lease_seconds=1.5,
    )
    line = encode_settings(settings)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_settings(line) == settings


def test_without_any_setting_a_worker_has_the_defaults() -> None:
    assert decode_settings(encode_settings(Settings())) == Settings()
