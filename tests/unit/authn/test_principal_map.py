"""Who is who: the rule for SPIFFE IDs, the entries of the file, and nobody else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyferry_server.authn.caller import Principal
from keyferry_server.authn.principal_map import PrincipalMap, PrincipalMapError

BY_RULE = PrincipalMap("aws", "example.org")
PREFIX = "spiffe://example.org/account/123456789012"
FILE = """
[certificates]
"spiffe://example.org/billing" = "arn:aws:iam::123456789012:role/billing"
"spiffe://example.org/account/123456789012/role/renamed" = "arn:aws:iam::123456789012:user/other"
"CN=backup,O=Example" = "arn:aws:iam::123456789012:user/backup"
[tokens]
"auth0|7" = "arn:aws:iam::123456789012:root"
"""


def arn(rest: str) -> Principal:
    return Principal("123456789012", f"arn:aws:iam::123456789012:{rest}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "principals.toml"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize("path", ["role/billing", "user/ada", "role/team/billing", "role/a.b-c_d", "root"])
def test_a_spiffe_id_of_the_accounts_form_needs_no_entry(path: str) -> None:
    assert BY_RULE.of_certificate(f"{PREFIX}/{path}", "CN=x") == arn(path)
    assert BY_RULE.of_token(f"{PREFIX}/{path}") == arn(path)


@pytest.mark.parametrize(
    "name",
    [
        "", "spiffe://", "spiffe://example.org", "spiffe://example.org/", PREFIX, f"{PREFIX}/", f"{PREFIX}/role", f"{PREFIX}/role/",
        f"{PREFIX}/rooted", f"{PREFIX}/group/x", f"{PREFIX}/role/..", f"{PREFIX}/role/./x", f"{PREFIX}/role/a/../b", f"{PREFIX}/role//x",
        f"{PREFIX}/role/x/", f"{PREFIX}/role/x?y", f"{PREFIX}/role/x#y", f"{PREFIX}/role/x y", f"{PREFIX}/role/x%2fy", f"{PREFIX}/role/x\n",
        f"{PREFIX}/role/x:y", f"{PREFIX}/role/\u0430dmin", f"{PREFIX}/role/*", f"{PREFIX}/ROLE/x", PREFIX.replace("123456789012", "12345678901") + "/role/x",
        PREFIX.replace("123456789012", "١٢٣٤٥٦٧٨٩٠١٢") + "/role/x", PREFIX.replace("example.org", "EXAMPLE.org") + "/role/x",
        PREFIX.replace("example.org", "example.org.evil") + "/role/x", PREFIX.replace("example.org", "evil@example.org") + "/role/x",
        PREFIX.replace("example.org", "example.org:443") + "/role/x", PREFIX.replace("spiffe://example.org", "") + "/role/x",
        PREFIX.replace("spiffe", "https") + "/role/x", PREFIX.replace("spiffe", "SPIFFE") + "/role/x", f"{PREFIX}/role/{'x' * 600}",
    ],
)  # fmt: skip
def test_anything_else_stands_for_nobody(name: str) -> None:
    assert BY_RULE.of_certificate(name, "CN=x") is None
    assert BY_RULE.of_token(name) is None


@given(st.text(max_size=80))
def test_no_text_stands_for_somebody_of_another_form(text: str) -> None:
    found = BY_RULE.of_token(f"{PREFIX}/{text}")
    if found is not None:
        assert found == arn(text)
        assert text.startswith(("role/", "user/"))


def test_without_a_trust_domain_there_is_no_rule() -> None:
    assert PrincipalMap("aws").of_certificate(f"{PREFIX}/role/x", "CN=x") is None


def test_an_entry_comes_before_the_rule_and_certificates_and_tokens_do_not_mix(file: Path) -> None:
    principals = PrincipalMap("aws", "example.org", file)
    assert principals.of_certificate("spiffe://example.org/billing", "CN=x") == arn("role/billing")
    assert principals.of_certificate(f"{PREFIX}/role/renamed", "CN=x") == arn("user/other")
    assert principals.of_certificate(None, "CN=backup,O=Example") == arn("user/backup")
    assert principals.of_token("auth0|7") == arn("root")
    for nobody in ("auth0|7", "CN=backup", "cn=backup,o=example", "CN=backup,O=Example,C=X"):
        assert principals.of_certificate(None, nobody) is None
    assert principals.of_token("CN=backup,O=Example") is None
    # A subject is whatever an authority writes into it; a SPIFFE ID says who it is.
    assert principals.of_certificate(f"{PREFIX}/role/x", "CN=backup,O=Example") == arn("role/x")


def test_the_file_is_followed_and_one_with_a_fault_changes_nothing(file: Path) -> None:
    principals = PrincipalMap("aws", None, file)
    principals.read_again()
    assert principals.generation == 0
    for content in ("[certificates", "", FILE.replace("auth0|7", "auth0|8")):
        file.write_text(content)
        principals.read_again()
        assert (principals.of_token("auth0|7") is None) == (content != "[certificates")
    assert principals.of_token("auth0|8") == arn("root")
    file.unlink()
    principals.read_again()
    assert principals.of_token("auth0|8") == arn("root")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("not toml", "is not TOML"),
        ("[certificate]\n", "may have"),
        ("tokens = 7\n", "is not a table"),
        ('[tokens]\n"a" = 7\n', "does not name a principal"),
        ('[tokens]\n"a" = "billing"\n', "does not name a principal"),
        ('[tokens]\n"a" = "arn:aws:iam::1:role/x"\n', "does not name a principal"),
        ('[tokens]\n"a" = "arn:aws-cn:iam::123456789012:role/x"\n', "does not name a principal"),
        ('[tokens]\n"a" = "arn:aws:iam::123456789012:role/*"\n', "does not name a principal"),
        ('[tokens]\n"a" = "arn:aws:kms::123456789012:key/x"\n', "does not name a principal"),
    ],
)
def test_a_file_with_a_fault_is_refused_at_the_start_and_says_where(
    tmp_path: Path, content: str, says: str
) -> None:
    path = tmp_path / "principals.toml"
    path.write_text(content)
    with pytest.raises(PrincipalMapError, match=says) as caught:
        PrincipalMap("aws", None, path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_and_a_trust_domain_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PrincipalMapError, match="cannot be read"):
        PrincipalMap("aws", None, tmp_path / "missing")
    for domain in ("", "EXAMPLE", "example.org/", "spiffe://example.org", "a b"):
        with pytest.raises(PrincipalMapError, match="trust domain"):
            PrincipalMap("aws", domain)
