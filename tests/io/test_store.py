"""Folders that remember long work: what they refuse, and that nothing in them is half written."""

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from statnn._archive import lock, provenance
from statnn._archive import store as _store
from statnn._archive.atomic import replacing
from statnn._archive.file import write
from statnn._archive.lock import locked
from statnn._archive.store import StoreError, opened
from statnn._archive.words import line_of
from statnn.io import describe, load, load_network

KEY = {"work": "sums", "length": 10}


def filled(path):
    with opened(path, KEY) as store:
        store.put("one", {"sum": np.arange(3)})
    return path


def contents(path):
    return {entry.name: entry.read_bytes() for entry in path.iterdir()}


def test_entries_stay_and_can_be_dropped(tmp_path):
    path = filled(tmp_path / "work")
    with opened(path, KEY) as store:
        assert np.array_equal(store.get("one")["sum"], [0, 1, 2])
        assert store.get("two") is None
        assert store.names() == ("one",)
        for name in ("c", "a", "b"):
            store.put(name, 1)
        assert store.names() == ("a", "b", "c", "one")
        for name in ("a", "b", "c", "one", "one"):
            store.discard(name)
        assert store.names() == ()
        with pytest.raises(ValueError, match=r"entry '\.\./x'"):
            store.put("../x", 1)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({"work": "sums", "length": 20}, "length is 10 there and 20 here"),
        ({"work": "sums"}, "length is 10 there and not given here"),
        ({**KEY, "more": [1]}, r"more is not given there and \[1\] here"),
    ],
)
def test_other_work_is_refused_and_left_alone(key, message, tmp_path):
    path = filled(tmp_path / "work")
    before = contents(path)
    with pytest.raises(StoreError, match=message), opened(path, key):
        pass
    assert contents(path) == before


def test_another_version_of_the_package_is_other_work(tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(_store, "versions", lambda _: {"statnn": "0.0.2"})
        filled(tmp_path / "earlier")
    with pytest.raises(StoreError, match=r"statnn is 0\.0\.2 there"), opened(tmp_path / "earlier", KEY):
        pass
    path = filled(tmp_path / "work")
    head = json.loads((path / "store.json").read_text())
    head["key"]["statnn"] = "0.0.1"
    del head["digest"]  # stores of early versions have no digest of their key
    (path / "store.json").write_text(json.dumps(head))
    with pytest.raises(StoreError, match=r"statnn is 0\.0\.1 there"), opened(path, KEY):
        pass


@pytest.mark.parametrize(("commit", "warned"), [("a" * 40, True), ("b" * 40, False), (None, False)])
def test_a_store_of_another_commit_is_told(commit, warned, monkeypatch, tmp_path, caplog):
    """A checkout that has moved on has the same version, and may draw other numbers."""
    path = filled(tmp_path / "work")
    head = json.loads((path / "store.json").read_text())
    head["provenance"]["commit"] = commit
    (path / "store.json").write_text(json.dumps(head))
    monkeypatch.setattr(_store, "surroundings", lambda: {"commit": "b" * 40})
    with opened(path, KEY):
        assert ("was made at commit aaaaaaaaaaaa and goes on at bbbbbbbbbbbb" in caplog.text) == warned
        assert ("goes on" in caplog.text) == warned


def test_what_differs_is_named_where_its_parts_are_the_same(tmp_path):
    with opened(tmp_path / "work", {"model": "one"}, parts={"model": {"T": 1.0}}):
        pass
    with pytest.raises(StoreError, match="model is one there and two here"):
        opened(tmp_path / "work", {"model": "two"}, parts={"model": {"T": 1.0}}).__enter__()


def test_what_is_adopted_comes_from_the_store(tmp_path):
    for seed in (5, 6):
        with opened(tmp_path / "work", {**KEY, "seed": seed}, adopt=("seed",)) as store:
            assert store.key["seed"] == 5


def test_other_work_without_what_is_adopted_is_refused(tmp_path):
    path = filled(tmp_path / "work")
    with pytest.raises(StoreError, match="seed is not given there"), opened(path, {**KEY, "seed": 5}, adopt=("seed",)):
        pass


@pytest.mark.parametrize(("length", "end"), [(80, "xxxx"), (81, " ...")])
def test_values_of_up_to_eighty_characters_are_shown_whole(length, end, tmp_path):
    path = filled(tmp_path / "work")
    with pytest.raises(StoreError) as refused, opened(path, {**KEY, "more": "x" * length}):
        pass
    assert f"more is not given there and {'x' * 76}{end} here" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("store.json", b"{", "store.json is damaged"),
        ("store.json", b"[1]", "store.json is damaged"),
        ("store.json", b'{"format": "x", "version": 1, "key": {}}', "describes 'x'"),
        ("store.json", b'{"format": "statnn.store", "version": 7, "key": {}}', "has version 7"),
        ("one.npz", b"PK", "one.npz.*delete this file"),
    ],
)
def test_damage_is_said_and_left_alone(name, text, message, tmp_path):
    path = filled(tmp_path / "work")
    (path / name).write_bytes(text)
    before = contents(path)
    with pytest.raises(StoreError, match=message), opened(path, KEY) as store:
        store.get("one")
    assert contents(path) == before


def test_a_key_that_is_not_the_one_that_was_written_is_damage(tmp_path):
    """A seed that nobody chose is taken from the key."""
    with opened(tmp_path / "work", {**KEY, "seed": 5}):
        pass
    head = tmp_path / "work" / "store.json"
    head.write_text(head.read_text().replace('"seed": 5', '"seed": 7'))
    with pytest.raises(StoreError, match=r"store\.json is damaged \(its digest"):
        opened(tmp_path / "work", {**KEY, "seed": 6}, adopt=("seed",)).__enter__()


@pytest.mark.parametrize(("key", "name"), [(KEY, "two"), ({**KEY, "length": 11}, "one")])
def test_an_entry_of_another_name_or_store_is_refused(key, name, tmp_path):
    entry = (filled(tmp_path / "work") / "one.npz").read_bytes()
    with opened(tmp_path / "other", key) as store:
        (tmp_path / "other" / f"{name}.npz").write_bytes(entry)
        with pytest.raises(StoreError, match=rf"{name}\.npz: it is .*'one'.*put here from elsewhere"):
            store.get(name)


def test_an_entry_cannot_be_called_by_another_name(tmp_path):
    """Its digest covers its name, too."""
    with np.load(filled(tmp_path / "work") / "one.npz") as archive:
        parts = dict(archive)
    parts["statnn"] = np.bytes_(parts["statnn"].item().replace(b'"entry": "one"', b'"entry": "two"'))
    np.savez(tmp_path / "work" / "two.npz", **parts)
    with opened(tmp_path / "work", KEY) as store, pytest.raises(StoreError, match="digest is not that of its contents"):
        store.get("two")


def test_of_a_long_message_both_ends_are_said():
    said = line_of("begin" + "x" * 10**6 + "end")
    assert (len(said), said[:5], said[-4:]) == (600, "begin", "xend")


def test_an_entry_from_before_entries_said_what_they_are_is_read(tmp_path):
    with opened(tmp_path / "work", KEY) as store:
        write(tmp_path / "work" / "old.npz", 5)
        assert store.get("old") == 5


def test_a_store_without_a_name_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="store = '' is an empty name"), opened("", KEY):
        pass
    assert not list(tmp_path.iterdir())


def test_foreign_folders_and_files_are_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("notes")
    with pytest.raises(StoreError, match=r"holds 'mine\.txt' and no store\.json"), opened(tmp_path, KEY):
        pass
    with pytest.raises(StoreError, match="is a file"), opened(tmp_path / "mine.txt", KEY):
        pass
    with pytest.raises(FileNotFoundError, match="make it first"), opened(tmp_path / "gone" / "work", KEY):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.txt"]
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(StoreError, match="is a link to nothing"), opened(tmp_path / "link", KEY):
        pass


def test_a_store_stays_where_it_is_when_the_work_changes_its_folder(monkeypatch, tmp_path):
    """A relative name is that of the folder in which the store was opened."""
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    with opened("work", KEY) as store:
        monkeypatch.chdir(tmp_path / "other")
        store.put("one", 1)
    assert (tmp_path / "work" / "one.npz").exists()


def test_what_a_kill_left_of_a_new_store_is_no_hindrance(tmp_path):
    path = tmp_path / "work"
    path.mkdir()
    (path / "lock").touch()
    (path / ".store.json.abc.tmp").write_bytes(b"{")
    filled(path)
    assert sorted(contents(path)) == ["lock", "one.npz", "store.json"]


def hold(path, ready, done):
    with opened(path, KEY):
        ready.set()
        done.wait(60)


def test_a_second_process_is_refused_until_the_first_ends(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    first = context.Process(target=hold, args=(tmp_path / "work", ready, done))
    first.start()
    assert ready.wait(60)
    with (
        pytest.raises(StoreError, match=f"in use by another process .process {first.pid}"),
        opened(tmp_path / "work", KEY),
    ):
        pass
    first.kill()
    first.join()
    filled(tmp_path / "work")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "note"
    for text in (b"old", b"new"):
        with pytest.raises(ZeroDivisionError), replacing(path) as file:
            file.write(b"half" * (1 // 0))
        assert [entry.name for entry in tmp_path.iterdir()] == ["note"] * (text == b"new")
        with replacing(path) as file:
            file.write(text)
    assert path.read_bytes() == b"new"


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    """Else the link would become a file, and the old contents would stay where it leads."""
    for there in ("old", "new"):
        (tmp_path / "far").mkdir(exist_ok=True)
        (tmp_path / there).symlink_to(tmp_path / "far" / there)
        if there == "old":
            (tmp_path / "far" / there).write_bytes(b"old")
        with replacing(tmp_path / there) as file:
            file.write(b"whole")
        assert (tmp_path / there).is_symlink()
        assert (tmp_path / "far" / there).read_bytes() == b"whole"
    assert sorted(entry.name for entry in (tmp_path / "far").iterdir()) == ["new", "old"]


def test_a_name_may_be_as_long_as_the_system_lets_it(tmp_path):
    with replacing(tmp_path / ("é" * 127)) as file:
        file.write(b"whole")
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"whole"]


def test_a_folder_in_the_place_of_a_file_is_called_by_its_name(tmp_path):
    (tmp_path / "note").mkdir()
    with pytest.raises(OSError, match=r"\d\] [^']*'[^']*note'$"), replacing(tmp_path / "note"):
        pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
@pytest.mark.parametrize("read", [load, load_network, describe])
def test_a_pipe_in_the_place_of_a_file_is_refused(read, tmp_path):
    """Reading it would wait for ever."""
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(ValueError, match=r"pipe\.npz is not a regular file"):
        read(tmp_path / "pipe.npz")


def test_a_full_disk_says_which_file(tmp_path):
    with pytest.raises(OSError, match=r"No space left on device: '.*whole\.npz'"), replacing(tmp_path / "whole.npz"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_place_that_cannot_be_written_to_is_called_by_the_name_that_was_asked_for(monkeypatch, tmp_path):
    """The error does not name a temporary file."""

    def refused(path, mode):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), f"{path} in mode {mode}")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(OSError, match=r"Read-only file system: '.*/note'$"), replacing(tmp_path / "note"):
        pass


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o027, 0o640), (0o002, 0o664)])
def test_who_may_read_a_file_follows_from_the_umask_or_is_as_it_was(mask, mode, tmp_path):
    note, before = tmp_path / "note", os.umask(mask)
    try:
        for expected in (mode, 0o400):
            with replacing(note) as file:
                assert os.fstat(file.fileno()).st_mode & 0o777 == expected
                file.write(b"x")
            assert note.stat().st_mode & 0o777 == expected
            note.chmod(0o400)
    finally:
        os.umask(before)


def test_contents_reach_the_disk_before_the_name(tmp_path, monkeypatch):
    """The file is synchronised, then renamed, then its folder synchronised: a loss of power leaves a whole file."""
    done = []
    sync, replace = os.fsync, Path.replace

    def synced(descriptor):
        done.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "file")
        sync(descriptor)

    def replaced(path, target):
        done.append("name")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    with replacing(tmp_path / "note") as file:
        file.write(b"x")
    assert [event for event in done if event != "folder"] == ["file", "name"]
    assert done[-1] == ("folder" if Path("/proc/self/fd").is_dir() else "name")


def test_a_lock_that_its_holder_removed_is_taken_anew(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    path, flock, calls = tmp_path / "lock", fcntl.flock, []

    def late(descriptor, how):
        if not calls:
            path.unlink()
        calls.append(descriptor)
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with locked(path, "this", leave=False):
        assert len(calls) == 2
        with pytest.raises(StoreError, match="this is in use by another process"), locked(path, "this", StoreError):
            pass
    assert not path.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_lock_is_given_back_when_its_holder_is_gone_whatever_it_has_forked(tmp_path):
    path = tmp_path / "lock"
    code = (
        "import os, pathlib, sys, time; from statnn._archive.lock import locked\n"
        "with locked(pathlib.Path(sys.argv[1]), 'this'):\n"
        "    worker = os.fork()\n"
        "    if worker: os.write(1, str(worker).encode()); os._exit(0)\n"
        "    os.close(1); time.sleep(600)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, stdout=subprocess.PIPE)  # noqa: S603
    try:
        with locked(path, "this"):
            assert path.read_text() == f"process {os.getpid()}"
    finally:
        os.kill(int(done.stdout), signal.SIGKILL)


def test_a_fork_forgets_the_locks_that_it_closed():
    """Another file may have the same descriptor by then."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    lock._held.add(descriptor)
    lock._left_to_the_parent()
    assert descriptor not in lock._held
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.parametrize(("changes", "commit"), [("", "abc"), (" M some.py", "abc+")])
def test_a_commit_with_changes_says_so(changes, commit, monkeypatch, tmp_path):
    def run(command, **_):
        return subprocess.CompletedProcess(command, 0, f"{changes if 'status' in command else 'abc'}\n")

    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "statnn" / "_archive" / "provenance.py"))
    monkeypatch.setattr(provenance.subprocess, "run", run)
    assert provenance._commit() == commit
