from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.backup.filling import fill
from tests.store.making import copies, executed, made
from vif.cli import main
from vif.store import Store

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`vif store …`: its exit status, and what it writes to stdout and stderr."""

    def carry_out(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["vif", "store", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return carry_out


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the configured store, which has something of everything in it."""
    url = f"sqlite:///{tmp_path / 'vif.sqlite3'}"
    monkeypatch.setenv("VIF_DATABASE_URL", url)
    store = Store(url)
    asyncio.run(fill(store))
    yield url
    store.close()


def test_info_says_where_it_is_and_what_is_in_it(command: Command, url: str, tmp_path: Path) -> None:
    status, out, _ = command("info")
    assert status == 0
    assert out.startswith(f"{tmp_path / 'vif.sqlite3'}\n")
    assert "interactions from 2026-11-22 to 2026-11-22\n" in out
    assert "        6  interactions\n" in out
    status, out, _ = command("info", "--json")
    found = json.loads(out)
    assert (found["rows"]["interactions"], found["where"]) == (6, str(tmp_path / "vif.sqlite3"))


def test_a_backup_is_restored_into_another_database(
    command: Command, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "vif.zip")
    status, out, err = command("backup", file)
    assert (status, out, err) == (0, f"18 rows written to {file}\n", "")
    other = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    monkeypatch.setenv("VIF_DATABASE_URL", other)
    assert command("restore", file) == (0, "18 rows added, 0 replaced, 0 there already\n", "")
    assert command("restore", file) == (0, "0 rows added, 0 replaced, 18 there already\n", "")
    executed(other, "UPDATE conversations SET title = 'mine' WHERE id = 'talk'")
    status, out, err = command("restore", file)
    assert (status, out) == (2, "")
    assert err.startswith("vif: the store holds others under the same ids: conversations 'talk'; nothing was restored")
    assert command("restore", "--replace", file) == (0, "0 rows added, 1 replaced, 17 there already\n", "")


def test_a_file_that_is_no_backup_is_one_line(command: Command, url: str, tmp_path: Path) -> None:
    (tmp_path / "diary.zip").write_text("Dear diary")
    reason = "vif: it is not a whole zip file, as a backup of vif is\n"
    assert command("restore", str(tmp_path / "diary.zip")) == (2, "", reason)


def test_rows_that_could_not_be_backed_up_are_named(command: Command, url: str, tmp_path: Path) -> None:
    executed(url, "UPDATE interactions SET body = 'hush' WHERE id = 'i0'")
    status, out, err = command("backup", str(tmp_path / "vif.zip"))
    assert (status, out.split()[0]) == (1, "17")
    assert "warning: left out: interactions 'i0': body: Invalid JSON" in err
    assert err.endswith("vif: rows left out because this version cannot read them: 1\n")


def test_what_has_expired_is_deleted_on_request(command: Command, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def age() -> None:
        store = Store(url)
        (old,) = copies(await made("Why?"), "old")
        await store.save(old.model_copy(update={"created_at": datetime.now(UTC) - timedelta(days=5)}))
        (new,) = copies(await made("Why?"), "new")
        await store.save(new.model_copy(update={"created_at": datetime.now(UTC)}))
        store.close()

    executed(url, "DELETE FROM interactions")
    asyncio.run(age())
    status, _, err = command("delete-expired")
    assert (status, err) == (2, "vif: say --days, or set VIF_RETENTION_DAYS\n")
    assert command("delete-expired", "--days", "6")[1] == "0 interactions deleted\n"
    monkeypatch.setenv("VIF_RETENTION_DAYS", "4")
    assert command("info")[0] == 0  # looking deletes nothing
    assert command("delete-expired")[1] == "1 interactions deleted\n"
    assert executed(url, "SELECT id FROM interactions") == [("new",)]


def test_a_retention_that_cannot_be_meant_is_refused(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIF_RETENTION_DAYS", "0")
    status, _, err = command("info")
    assert status == 2
    assert "retention_days (VIF_RETENTION_DAYS) is '0'; it should be greater than or equal to 1" in err
