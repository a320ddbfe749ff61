"""run.py speaks in sentences when something is wrong, and does nothing when nothing is to be done."""

import ast
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
    with pytest.raises(SystemExit, match="This is Python 3.10; the collection needs Python 3.11 or newer"):
        run.setup()


def test_an_older_python_can_read_the_file_to_its_end():
    tree = ast.parse((ROOT / "run.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    written = [f.returns for f in functions] + [
        a.annotation for f in functions for a in f.args.args + f.args.kwonlyargs
    ]
    assert {type(a) for a in written if a is not None} <= {ast.Name, ast.Constant}, (
        "3.6 to 3.9 cannot evaluate the others"
    )


def test_read_only_folder_gets_a_sentence(tmp_path):
    script = (
        f"import runpy, sys, errno, pathlib; sys.argv = ['run.py', 'setup']\n"
        f"def no(*a, **k): raise OSError(errno.EROFS, 'Read-only file system')\n"
        f"pathlib.Path.exists = no; runpy.run_path({str(ROOT / 'run.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (
        done.returncode == 1 and done.stderr.strip().startswith("The folder ") and "may not be written" in done.stderr
    )
    assert "Traceback" not in done.stderr


def test_jupyterlab_opens_the_folder_of_the_project_without_a_question_about_news(run, monkeypatch):
    seen = []
    monkeypatch.setattr(run, "setup", run.write_own_files)
    monkeypatch.setattr(run, "inside", lambda *a, **k: seen.extend(a) or 0)
    assert run.main(["lab", "--no-browser"]) == 0
    assert f"--ServerApp.root_dir={run.ROOT}" in seen and seen[-1] == "--no-browser"
    settings = pytest.importorskip("jupyterlab_server.settings_utils")
    monkeypatch.setattr(settings.ConfigManager, "read_config_path", [str(run.VENV / "etc" / "jupyter" / "labconfig")])
    assert settings._get_overrides(str(run.ROOT)) == (
        {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}, "",
    )  # fmt: skip


def test_sizes_are_said_once_and_are_those_of_the_environment(run):
    said = f"{run.DOWNLOAD_MB} MB to fetch, {run.SIZE_GB} GB"
    assert said in " ".join(run.__doc__.split())
    assert said in (ROOT / "README.md").read_text(encoding="utf-8")
    assert run.DOWNLOAD_MB / 1000 + run.SIZE_GB < run.NEEDED_GB
    if (ROOT / ".venv" / "built-from").exists():
        files = [f.lstat() for f in (ROOT / ".venv").rglob("*")]
        assert 0.6 * run.SIZE_GB < sum(f.st_blocks * 512 for f in files) / 1e9 < 1.2 * run.SIZE_GB


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
    where = tmp_path / ".venv" / "lib" / "python3.12" / "site-packages"
    where.mkdir(parents=True)
    run.setup()
    assert [any(s in c for c in command) for s, command in zip(steps, seen, strict=True)] == [True, True]
    assert "--require-hashes" in seen[1] and str(run.LOCK) in seen[1]
    assert (where / "switchcost-src.pth").read_text() == "../../../../src\n"
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


@pytest.mark.skipif(os.name == "nt", reason="the interpreter's place on Unix")
def test_packages_are_found_in_a_folder_with_blanks_and_umlauts_and_after_it_was_moved(run, tmp_path, monkeypatch):
    first, second = tmp_path / "Meine Übung (1)", tmp_path / "後 zweite Übung"
    (first / "src").mkdir(parents=True)
    (first / "src" / "found_here.py").write_text("import os; print(os.stat(__file__).st_ino)")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(first / ".venv")], check=True)
    monkeypatch.setattr(run, "ROOT", first)
    monkeypatch.setattr(run, "VENV", first / ".venv")
    run.write_own_files()
    plain = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for place in (first, second):
        if place is second:
            first.rename(second)
        done = subprocess.run([str(place / ".venv" / "bin" / "python"), "-c", "import found_here"], env=plain, cwd=tmp_path,
                              capture_output=True, encoding="utf-8")  # fmt: skip
        assert done.stdout.strip() == str((place / "src" / "found_here.py").stat().st_ino), done.stderr


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
    assert state[:1] in ("", "Z"), state


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


def test_a_cell_that_the_site_folds_is_folded_in_jupyterlab_too():
    from nbformat.v4 import new_code_cell, new_notebook

    from coursepages.running import fold

    notebook = new_notebook(cells=[new_code_cell("1", metadata={"tags": ["hide-input"]}), new_code_cell("2")])
    fold(notebook)
    assert notebook.cells[0].metadata["jupyter"] == {"source_hidden": True}
    assert "jupyter" not in notebook.cells[1].metadata
