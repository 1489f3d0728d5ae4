"""Root keys from files and from the environment: what is accepted, and what a refusal says."""

import base64
import os
import stat
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.crypto.calls import built_ins_called
from unit.crypto.leaks import shown_by, shows

from keyferry_server.crypto.root_key import RootKeyConfigurationError, file
from keyferry_server.crypto.root_key.environment import load_root_key_environment
from keyferry_server.crypto.root_key.file import (
    FileRootKeyProvider,
    generate_root_key_file,
    load_root_key_file,
)

KEY = bytes(range(150, 182))
TEXT = base64.b64encode(KEY).decode()
OTHER_TEXT = base64.b64encode(bytes(32)).decode()


def _write(path: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def _refusal(path: Path) -> RootKeyConfigurationError:
    with pytest.raises(RootKeyConfigurationError) as caught:
        load_root_key_file(path)
    return caught.value


# making one


def test_a_generated_root_key_loads_and_works(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    generate_root_key_file(path)
    root_key = load_root_key_file(path)
    assert root_key.current_version == 1
    assert root_key.decrypt(1, root_key.encrypt(1, b"plaintext", b""), b"") == b"plaintext"


def test_two_generated_root_keys_differ(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate_root_key_file(tmp_path / name)
    assert (tmp_path / "one").read_text() != (tmp_path / "two").read_text()


def test_a_generated_root_key_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        generate_root_key_file(tmp_path / "root.key")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "root.key").stat().st_mode) == 0o600


def test_generating_leaves_nothing_beside_the_root_key(tmp_path: Path) -> None:
    generate_root_key_file(tmp_path / "root.key")
    assert os.listdir(tmp_path) == ["root.key"]  # noqa: PTH208 -- names, hidden ones too


def test_a_root_key_is_synced_to_the_disk_and_so_is_its_folder(tmp_path: Path) -> None:
    generate = partial(generate_root_key_file, tmp_path / "root.key")
    assert built_ins_called(generate, "fsync", "link") == ["fsync", "link", "fsync"]


def test_a_root_key_is_never_overwritten(tmp_path: Path) -> None:
    path = _write(tmp_path / "root.key", "precious")
    with pytest.raises(RootKeyConfigurationError, match="exists already and is not overwritten"):
        generate_root_key_file(path)
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["root.key"]  # noqa: PTH208 -- names, hidden ones too


def test_a_dangling_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "root.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RootKeyConfigurationError, match="exists already"):
        generate_root_key_file(tmp_path / "root.key")
    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RootKeyConfigurationError, match=r"cannot be written to .*No such file or directory"):
        generate_root_key_file(tmp_path / "missing" / "root.key")


# changing one


@pytest.fixture
def provider(tmp_path: Path) -> FileRootKeyProvider:
    return FileRootKeyProvider(_write(tmp_path / "root.key", f"# Schl\xfcssel\n1 {TEXT}\n".encode("latin-1")))


def test_a_version_is_added_and_removed_and_all_else_stays(
    provider: FileRootKeyProvider, tmp_path: Path
) -> None:
    before = provider.load()
    provider.add_version(2)
    both = provider.load()
    assert both.versions == {1, 2}
    assert both.decrypt(1, before.encrypt(1, b"text", b""), b"") == b"text"
    provider.remove_version(1)
    assert provider.load().decrypt(2, both.encrypt(2, b"text", b""), b"") == b"text"
    content = (tmp_path / "root.key").read_bytes()
    assert content.startswith(b"# Schl\xfcssel\n2 ")
    assert os.listdir(tmp_path) == ["root.key"]  # noqa: PTH208 -- names, hidden ones too


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\v", "\f", "\x85", "\u2028", " \n\t"])
def test_the_removal_takes_one_version_whatever_ends_the_lines(end: str, tmp_path: Path) -> None:
    path = _write(tmp_path / "root.key", end.join((f"1 {TEXT}", f"2 {OTHER_TEXT}", f"11 {OTHER_TEXT}", "")))
    assert load_root_key_file(path).versions == {1, 2, 11}
    FileRootKeyProvider(path).remove_version(1)
    assert load_root_key_file(path).versions == {2, 11}


def test_a_change_that_does_not_come_out_right_changes_nothing(
    provider: FileRootKeyProvider, tmp_path: Path
) -> None:
    before = (tmp_path / "root.key").read_bytes()
    for spoilt in (f"1 {OTHER_TEXT}\n2 {OTHER_TEXT}\n", f"1 {TEXT}\n3 {OTHER_TEXT}\n", f"2 {TEXT}\n"):
        with pytest.raises(RootKeyConfigurationError, match="is not changed"):
            provider._replace(lambda _, spoilt=spoilt: spoilt, lambda versions: versions | {2})  # type: ignore[misc]
    assert (tmp_path / "root.key").read_bytes() == before
    assert os.listdir(tmp_path) == ["root.key"]  # noqa: PTH208 -- names, hidden ones too


def test_what_a_killed_change_left_behind_is_gone_after_the_next(
    provider: FileRootKeyProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as kill:
        kill.setattr(Path, "replace", killed)
        kill.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(Killed):
            provider.add_version(2)
    assert len(os.listdir(tmp_path)) == 2  # noqa: PTH208 -- names, hidden ones too
    _write(tmp_path / ".root.key.kept", "not ours")
    provider.add_version(2)
    assert sorted(os.listdir(tmp_path)) == [".root.key.kept", "root.key"]  # noqa: PTH208 -- as above


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user, and groups")
@pytest.mark.parametrize(("groups", "mode", "group"), [([7001], 0o640, 7001), ([], 0o600, 7002)])
def test_a_changed_file_is_readable_for_its_group_and_for_no_other(
    groups: list[int], mode: int, group: int, data_folder: Path
) -> None:
    data_folder.mkdir()
    path = _write(data_folder / "root.key", f"1 {TEXT}\n", 0o640)
    for owned in (data_folder, path):
        os.chown(owned, 65534, 7001)
    child = os.fork()
    if child == 0:
        # As its owner, whose own group is another one.
        try:
            os.setgroups(groups)
            os.setgid(7002)
            os.setuid(65534)
            FileRootKeyProvider(path).add_version(2)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    found = path.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (mode, 65534, group)
    assert load_root_key_file(path).versions == {1, 2}


# who may read and write the file


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_a_file_that_only_owner_and_group_read_is_accepted(tmp_path: Path, mode: int) -> None:
    assert load_root_key_file(_write(tmp_path / "root.key", f"1 {TEXT}\n", mode)).current_version == 1


@pytest.mark.parametrize("mode", [0o660, 0o620, 0o602, 0o622, 0o666, 0o777])
def test_a_file_that_others_can_change_is_refused(tmp_path: Path, mode: int) -> None:
    refusal = _refusal(_write(tmp_path / "root.key", f"1 {TEXT}\n", mode))
    assert f"mode {mode:04o}" in str(refusal)
    assert f"chmod 600 {tmp_path / 'root.key'}" in str(refusal)


@pytest.mark.parametrize("mode", [0o444, 0o604, 0o644])
def test_a_file_that_everyone_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    assert f"chmod 600 {tmp_path / 'root.key'}" in str(
        _refusal(_write(tmp_path / "root.key", f"1 {TEXT}\n", mode))
    )


def test_a_mounted_secret_may_be_readable_by_everyone_but_not_writable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = tmp_path / "secrets"
    mounted.mkdir()
    monkeypatch.setattr(file, "_MOUNTED_SECRETS", mounted)
    assert load_root_key_file(_write(mounted / "root.key", f"1 {TEXT}\n", 0o444)).current_version == 1
    assert "can change" in str(_refusal(_write(mounted / "open.key", f"1 {TEXT}\n", 0o666)))


def test_a_link_among_the_mounted_secrets_does_not_excuse_a_file_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = tmp_path / "secrets"
    mounted.mkdir()
    monkeypatch.setattr(file, "_MOUNTED_SECRETS", mounted)
    (mounted / "root.key").symlink_to(_write(tmp_path / "root.key", f"1 {TEXT}\n", 0o444))
    assert "can read" in str(_refusal(mounted / "root.key"))


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    assert f"keyferry-server root-key generate --out {path}" in str(_refusal(path))


def test_a_path_through_a_file_is_reported(tmp_path: Path) -> None:
    _write(tmp_path / "file", "")
    assert "cannot be read: Not a directory" in str(_refusal(tmp_path / "file" / "root.key"))


@pytest.mark.timeout(10)
def test_what_is_not_a_regular_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "not a regular file" in str(_refusal(tmp_path / "pipe"))
    assert "not a regular file" in str(_refusal(tmp_path))


def test_a_file_that_is_far_too_long_is_refused(tmp_path: Path) -> None:
    assert "too long" in str(_refusal(_write(tmp_path / "root.key", "#" * (1024 * 1024 + 1))))


# what is in it


def test_comments_blanks_and_order_do_not_matter(tmp_path: Path) -> None:
    path = _write(tmp_path / "root.key", f"# a comment\r\n\n 12\t{OTHER_TEXT} \r\n  # more\n3   {TEXT}")
    root_key = load_root_key_file(path)
    assert root_key.current_version == 12
    old = load_root_key_environment(f"3 {TEXT}")
    assert root_key.decrypt(3, old.encrypt(3, b"plaintext", b""), b"") == b"plaintext"


@pytest.mark.parametrize("separator", ["\n", ",", " , ", ",\n"])
def test_the_environment_separates_versions_by_lines_or_commas(separator: str) -> None:
    assert load_root_key_environment(f"1 {TEXT}{separator}2 {OTHER_TEXT}").current_version == 2


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (TEXT, "Line 1 of .* is not a version of a root key"),
        (f"0 {TEXT}", "Line 1 of .* is not a version"),
        (f"01 {TEXT}", "Line 1 of .* is not a version"),
        (f"-1 {TEXT}", "Line 1 of .* is not a version"),
        (f"4294967296 {TEXT}", "Line 1 of .* is not a version"),
        (f"v1 {TEXT}", "Line 1 of .* is not a version"),
        (f"1:{TEXT}", "Line 1 of .* is not a version"),
        (f"1 {TEXT} {TEXT}", "Line 1 of .* is not a version"),
        (f"1 {TEXT[:20]}\x00{TEXT[21:]}", "Line 1 of .* is not a version"),
        (f"1 {KEY.hex()}", "Line 1 of .* does not hold 32 bytes"),
        (f"1 {TEXT[:-1]}", "Line 1 of .* does not hold 32 bytes"),
        (f"1 {TEXT[:40]}", "Line 1 of .* does not hold 32 bytes"),
        (f"1 {base64.b64encode(KEY + b'x').decode()}", "Line 1 of .* does not hold 32 bytes"),
        (f"1 {OTHER_TEXT}\n# two\n1 {TEXT}", "Line 3 of .* repeats version 1"),
        (f"1 {OTHER_TEXT}\n1 {OTHER_TEXT}", "Line 2 of .* repeats version 1"),
        (f"1 {TEXT}\nrubbish", "Line 2 of .* is not a version"),
        ("", "There is no key in"),
        ("# only a comment\n\n", "There is no key in"),
    ],
)
def test_a_broken_line_is_named_by_number_and_never_quoted(
    tmp_path: Path, content: str, complaint: str
) -> None:
    path = _write(tmp_path / "root.key", content)
    with pytest.raises(RootKeyConfigurationError, match=complaint) as from_file:
        load_root_key_file(path)
    with pytest.raises(RootKeyConfigurationError, match=complaint) as from_environment:
        load_root_key_environment(content)
    for refusal in (from_file.value, from_environment.value):
        assert refusal.__context__ is None
        assert not shows(shown_by(refusal), KEY)
        assert TEXT[:12] not in shown_by(refusal)
        assert KEY.hex()[:12] not in shown_by(refusal)
    assert str(path) in str(from_file.value)


def test_a_binary_file_is_refused_without_its_bytes(tmp_path: Path) -> None:
    refusal = _refusal(_write(tmp_path / "root.key", KEY))
    assert "is not a version of a root key" in str(refusal)
    assert not shows(shown_by(refusal), KEY)


@settings(deadline=None)
@given(value=st.text())
def test_no_text_from_the_environment_raises_anything_else(value: str) -> None:
    try:
        load_root_key_environment(value)
    except RootKeyConfigurationError:
        return
    pytest.fail("a random text was taken for a root key")


@settings(deadline=None)
@given(
    keys=st.dictionaries(
        st.integers(1, 2**32 - 1), st.binary(min_size=32, max_size=32), min_size=1, max_size=5
    )
)
def test_every_well_formed_text_loads(keys: dict[int, bytes]) -> None:
    value = "\n".join(f"{version} {base64.b64encode(key).decode()}" for version, key in keys.items())
    assert load_root_key_environment(value).current_version == max(keys)
