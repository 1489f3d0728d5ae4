"""The small authority: what is good is left alone, what is not is made anew, and keys are private."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from keyferry_server.crypto.certificate_authority import CertificateAuthority, CertificateError
from keyferry_server.crypto.client_certificate import read_client_certificate

NOW = datetime.now(UTC)
SPIFFE_ID = "spiffe://keyferry.internal/account/000000000000/role/billing"


def load(folder: Path, now: datetime = NOW) -> CertificateAuthority:
    return CertificateAuthority.load_or_make(folder, now)


def test_what_is_there_and_good_for_a_month_is_left_alone(tmp_path: Path) -> None:
    assert load(tmp_path).issue_server(["localhost", "::1"], NOW)
    assert load(tmp_path).issue_client("role/billing", SPIFFE_ID, NOW)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.pem")}
    for days in (0, 334):
        now = NOW + timedelta(days=days)
        assert not load(tmp_path, now).issue_server(["localhost", "::1"], now)
        assert not load(tmp_path, now).issue_client("role/billing", SPIFFE_ID, now)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.pem")} == before
    assert len(before) == 8


def test_what_expires_within_a_month_or_has_another_name_is_made_anew(tmp_path: Path) -> None:
    load(tmp_path).issue_server(["localhost"], NOW)
    load(tmp_path).issue_client("role/billing", SPIFFE_ID, NOW)
    soon = NOW + timedelta(days=336)
    assert load(tmp_path, soon).issue_server(["localhost"], soon)
    assert load(tmp_path, soon).issue_client("role/billing", SPIFFE_ID, soon)
    assert load(tmp_path).issue_server(["localhost", "server"], soon)
    assert load(tmp_path).issue_client("role/billing", SPIFFE_ID.replace("0", "1"), soon)


def test_certificates_of_another_authority_are_made_anew(tmp_path: Path) -> None:
    load(tmp_path).issue_server(["localhost"], NOW)
    for file in (tmp_path / "authority").iterdir():
        file.unlink()
    assert load(tmp_path).issue_server(["localhost"], NOW)


def test_an_authority_whose_key_is_kept_elsewhere_stays_and_issues_nothing(tmp_path: Path) -> None:
    load(tmp_path).issue_server(["localhost"], NOW)
    key = tmp_path / "authority" / "key.pem"
    away = key.rename(tmp_path / "away")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.pem")}
    assert not load(tmp_path).issue_server(["localhost"], NOW)
    with pytest.raises(CertificateError, match="authority's key is not here: put it back"):
        load(tmp_path).issue_client("role/billing", SPIFFE_ID, NOW)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.pem")} == before
    away.rename(key)
    assert load(tmp_path).issue_client("role/billing", SPIFFE_ID, NOW)


@pytest.mark.parametrize("damaged", ["key.pem", "authorities.pem"])
def test_what_a_killed_run_left_half_done_is_made_anew(damaged: str, tmp_path: Path) -> None:
    load(tmp_path).issue_server(["localhost"], NOW)
    load(tmp_path / "another").issue_server(["localhost"], NOW)
    for content in ((tmp_path / "another" / "server" / damaged).read_bytes(), b"", None):
        file = tmp_path / "server" / damaged
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        assert load(tmp_path).issue_server(["localhost"], NOW)
        assert not load(tmp_path).issue_server(["localhost"], NOW)


def test_keys_are_their_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        load(tmp_path).issue_client("role/billing", SPIFFE_ID, NOW)
    finally:
        os.umask(umask)
    keys = list(tmp_path.rglob("key.pem"))
    assert len(keys) == 2
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_a_client_certificate_says_who_it_is_and_cannot_be_a_servers_or_an_authoritys(tmp_path: Path) -> None:
    load(tmp_path).issue_client("role/billing", SPIFFE_ID, NOW)
    pem = (tmp_path / "clients/role/billing/certificate.pem").read_bytes()
    assert read_client_certificate(pem).spiffe_id == SPIFFE_ID
    certificate = x509.load_pem_x509_certificate(pem)
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="not the name"):
        load(tmp_path).issue_server(["bücher"], NOW)
    (tmp_path / "authority" / "key.pem").write_text("damaged")
    with pytest.raises(CertificateError, match="cannot be used"):
        load(tmp_path)
