"""run.py speaks in sentences when something is wrong, and does nothing when nothing is to be done."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "built-from")
    (tmp_path / "src").mkdir()
    return module


def test_unknown_command_names_the_known_ones(run):
    with pytest.raises(SystemExit, match="no command 'tset'.*test, lab"):
        run.main(["tset"])


def test_old_python_is_told_so(run, monkeypatch):
    monkeypatch.setattr(run.sys, "version_info", (3, 10, 1))
    with pytest.raises(SystemExit, match="Python 3.10; the collection needs 3.11"):
        run.setup()


def test_full_disk_is_told_before_anything_is_installed(run, monkeypatch):
    monkeypatch.setattr(run.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1e8})())
    monkeypatch.setattr(run, "call", lambda *_: pytest.fail("installed all the same"))
    with pytest.raises(SystemExit, match="0.1 GB free"):
        run.setup()


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ("ERROR: [Errno 28] No space left on device", "disk is full"),
        ("error: dns error: failed to lookup address", "needs a network"),
        ("ConnectionError: connection refused", "needs a network"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES: hash mismatch", "not the one the lock file names"),
        ("... not created successfully because ensurepip is not available", "sudo apt install python3.*-venv"),
        ("error: failed to create directory: Permission denied", "may not be written"),
        ("something else", "last lines are above"),
    ],
)
def test_installer_failures_are_explained(run, said, mend):
    assert re.search(mend, run.explain(said))


def test_failing_installer_stops_with_the_reason(run, capsys):
    with pytest.raises(SystemExit, match="needs a network"):
        run.call([sys.executable, "-c", "print('Temporary failure in name resolution'); raise SystemExit(1)"], "x")
    assert "name resolution" in capsys.readouterr().err


@pytest.mark.parametrize(("installer", "steps"), [("uv", ["venv", "sync"]), ("pip", ["venv", "install"])])
def test_both_installers_use_the_lock_with_hashes_and_only_once(run, monkeypatch, tmp_path, installer, steps):
    seen = []

    def fake(command, what):
        seen.append(command)
        run.venv_python().parent.mkdir(parents=True, exist_ok=True)
        if not run.venv_python().exists():
            run.venv_python().symlink_to(sys.executable)

    monkeypatch.setenv("SWITCHCOST_INSTALLER", installer)
    monkeypatch.setattr(run.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(run, "call", fake)
    where = tmp_path / "site-packages"
    where.mkdir()
    monkeypatch.setattr(run.subprocess, "run", lambda *a, **k: type("Done", (), {"stdout": str(where)})())
    run.setup()
    assert [any(s in c for c in command) for s, command in zip(steps, seen, strict=True)] == [True, True]
    assert "--require-hashes" in seen[1] and str(run.LOCK) in seen[1]
    assert (where / "switchcost-src.pth").read_text().strip() == str(tmp_path / "src")
    run.setup()
    assert len(seen) == 2, "built again although nothing had changed"
    run.STAMP.write_text("another lock")
    run.setup()
    assert len(seen) == 4, "not built again after the lock changed"


def test_asking_for_an_installer_that_is_not_there(run, monkeypatch):
    monkeypatch.setenv("SWITCHCOST_INSTALLER", "uv")
    monkeypatch.setattr(run.shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match="uv is not on the path"):
        run.choose_installer()


def test_set_up_again_builds_nothing():
    if Path(sys.prefix).resolve() != (ROOT / ".venv").resolve() or not (ROOT / ".venv" / "built-from").exists():
        pytest.skip("these tests do not run in the environment that run.py builds")
    done = subprocess.run([sys.executable, "run.py", "setup"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "Building" not in done.stdout


def test_a_moved_folder_keeps_its_environment(run, tmp_path, capsys):
    place = tmp_path / ".venv" / "lib" / "python3.12" / "site-packages"
    place.mkdir(parents=True)
    (place / "switchcost-src.pth").write_text("/an/old/place/src\n")
    run.point_to_here()
    assert (place / "switchcost-src.pth").read_text().strip() == str(tmp_path / "src")
    assert "moved or copied" in capsys.readouterr().out
    run.point_to_here()
    assert capsys.readouterr().out == "", "said once"


@pytest.mark.skipif(os.name == "nt", reason="process groups of Unix")
def test_ctrl_c_ends_a_command_with_one_sentence_and_all_its_processes(tmp_path):
    child = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import run; run.venv_python = lambda: sys.executable; "
        f"sys.exit(run.inside('-c', {child!r}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    sleeper = int(process.stdout.readline())
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and said.strip() == "Stopped. No file is left half written; run the command again."
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(sleeper)], capture_output=True, text=True).stdout.strip()
    assert state in ("", "Z"), state


def test_a_file_that_cannot_be_written_keeps_what_it_held(tmp_path, monkeypatch):
    from coursepages import pages
    from switchcost.core.errors import DataError

    path = tmp_path / "page.ipynb"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DataError, match="cannot write page.ipynb: No space left on device; .*page.ipynb is as it was"):
        pages.safe_write(path, "new")
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["page.ipynb"]
