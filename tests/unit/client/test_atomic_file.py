import stat
from pathlib import Path

import pytest

from keyferry_client.atomic_file import replaced_file


def test_a_file_appears_when_the_block_ends_and_not_before(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with replaced_file(target) as file:
        file.write(b"text")
        assert not target.exists()
    assert target.read_bytes() == b"text"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with replaced_file(target):
        pass
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_what_was_there(failure: type[BaseException], tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"before")

    def fail() -> None:
        with replaced_file(target) as file:
            file.write(b"after")
            raise failure

    with pytest.raises(failure):
        fail()
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    with replaced_file(link) as file:
        file.write(b"text")
    assert link.is_symlink()
    assert target.read_bytes() == b"text"


def test_a_target_that_is_no_regular_file_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for target in (folder, Path("/dev/null")):
        with pytest.raises(FileExistsError, match="not a regular file"), replaced_file(target):
            pass
    assert Path("/dev/null").is_char_device()


def test_links_that_lead_in_a_circle_are_an_os_error(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.symlink_to(other)
    other.symlink_to(one)
    with pytest.raises(OSError, match="symbolic links") as caught, replaced_file(one):
        pass
    assert caught.value.filename == str(one)
    assert one.is_symlink()


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replaced_file(tmp_path / "none" / "target"):
        pass
