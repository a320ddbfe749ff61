"""What the commands say when they are interrupted, and what is left behind.

    python benchmarks/interruptions.py
    python benchmarks/interruptions.py "this Python"    # only the cases with these words, the other rows are kept

Each case runs in a fresh clone of the committed state, in real processes. The table goes to interruptions.csv. "changed" is
what git sees afterwards: tracked files that differ, and files that were not there. Linux and macOS only. Older Pythons are
looked for on the path and below ~/.pyenv.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
CLASSROOM = [sys.executable, "-m", "coursepages"]
RUN = [sys.executable, "run.py"]


def clone(folder: Path) -> Path:
    home = folder / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "1", ROOT.as_uri(), str(home)], check=True)
    return home


def prepared(home: Path) -> Path:
    """The clone with an environment that is the one of this script, so that run.py builds none."""
    python = home / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{home}/src" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    stamp = "import run, pathlib; run.STAMP.write_text(run.fingerprint(run.choose_installer()))"
    subprocess.run([sys.executable, "-c", stamp], cwd=home, check=True)
    return home


def git_sees(home: Path) -> str:
    lines = subprocess.run(["git", "status", "--porcelain"], cwd=home, capture_output=True, text=True).stdout
    return ", ".join(sorted({Path(line[3:].strip('"')).parts[0] for line in lines.splitlines()})) or "nothing"


def run(home: Path, command: list[str], stop_after: float = 0, find: str = "", **more) -> tuple[int, str]:
    """Run to its end, or press Ctrl-C after some seconds; the exit code and the last sentence (or the one with ``find``)."""
    env = {**os.environ, "PYTHONPATH": str(home / "src"), **more.pop("env", {})}
    more["preexec_fn"] = more.get("preexec_fn") or allow_ctrl_c
    process = subprocess.Popen(
        command, cwd=home, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **more
    )  # fmt: skip
    if stop_after:
        time.sleep(stop_after)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that run.py left in its group
    said, _ = process.communicate(timeout=600)
    traceback = " (with a traceback)" if "Traceback" in said else ""
    lines = [line.strip() for line in said.splitlines() if line.strip() and "notebook/s" not in line and find in line]
    return process.returncode, (lines[-1] if lines else "") + traceback


def allow_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a job in the background inherits that it is ignored


def small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))


def fake_installer(folder: Path, script: str) -> dict[str, str]:
    tools = folder / "tools"
    tools.mkdir()
    (tools / "uv").write_text(f"#!/bin/sh\n{script}\n")
    (tools / "uv").chmod(0o755)
    return {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "SWITCHCOST_INSTALLER": "uv"}


def ctrl_c_in_refresh(home, folder):
    return run(prepared(home), [*RUN, "refresh", "02", "04"], stop_after=20)


def ctrl_c_in_setup(home, folder):
    return run(home, [*RUN, "setup"], stop_after=3, env=fake_installer(folder, "sleep 60"))


def ctrl_c_in_copies(home, folder):
    return run(prepared(home), [*RUN, "copies"], stop_after=5)


def killed_kernel(home, folder):
    path = next((home / "notebooks").glob("04_*.ipynb"))
    page = json.loads(path.read_text())
    next(c for c in page["cells"] if c["cell_type"] == "code")["source"] = "import os; os.kill(os.getpid(), 9)"
    path.write_text(json.dumps(page))
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x", "commit", "-qam", "x"], cwd=home, check=True)
    code, _ = run(home, [*CLASSROOM, "check", "04"])
    again = subprocess.run([*CLASSROOM, "check", "04"], cwd=home, capture_output=True, text=True,
                           env={**os.environ, "PYTHONPATH": str(home / "src")})  # fmt: skip
    said = next(line for line in again.stdout.splitlines() if line.startswith("04_"))
    return code, re.sub(r"\s+\d+\.\d\s+", ": ", said)  # without its seconds, or the table would differ each time


def full_disk(home, folder):
    return run(home, [*CLASSROOM, "copies", "09"], preexec_fn=small_files)


def full_disk_in_setup(home, folder):
    script = "echo 'error: failed to extract: No space left on device (os error 28)'; exit 2"
    return run(home, [*RUN, "setup"], env=fake_installer(folder, script))


def read_only(home, folder, command=(*CLASSROOM, "copies", "09"), find=""):
    subprocess.run(["mount", "--bind", str(home), str(home)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(home)], check=True)
    try:
        return run(home, [*command], env={"PYTHONDONTWRITEBYTECODE": "1"}, find=find)
    finally:
        subprocess.run(["umount", str(home)], check=True)


def read_only_before_setup(home, folder):
    return read_only(home, folder, (*RUN, "setup"))


def read_only_but_built(home, folder):
    subprocess.run([*RUN, "setup"], cwd=prepared(home), check=True, capture_output=True)
    return read_only(home, folder, (*RUN, "check-study", "khan2012"), "second mention")


def blanks_and_umlauts(home, folder):
    other = prepared(home).rename(folder / "Meine Übung (1) für % $HOME")
    code, said = run(other, [*RUN, "copies", "09"], find="written")
    other.rename(home)
    return code, said


def old_python(home, version):
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))  # pyenv puts a stand-in on the path
    found = str(kept[-1]) if kept else shutil.which(f"python{version}")
    if not found:
        raise PermissionError
    return run(home, [found, "run.py"], find="Python 3.11")


def no_venv(home, folder):
    script = "raise SystemExit(print('The virtual environment was not created successfully because ensurepip is not available') or 1)"
    fake = folder / "venv.py"
    fake.write_text(script)
    return run(home, [*RUN, "setup"], env={"SWITCHCOST_INSTALLER": "pip", "PYTHONPATH": str(folder)})


def unknown_number(home, folder):
    code, said = run(home, [*CLASSROOM, "refresh", "04", "77"])
    return code, said[:70] + " ..."


def broken_study(home, folder):
    (home / "data" / "published" / "khan2012" / "study.json").write_text('{"key": "khan2012", ')
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x", "commit", "-qam", "x"], cwd=home, check=True)
    return run(home, [sys.executable, "-m", "papercheck"], find="cannot be reproduced")


CASES = {
    "Ctrl-C while notebooks are refreshed": ctrl_c_in_refresh,
    "Ctrl-C while the environment is built": ctrl_c_in_setup,
    "Ctrl-C while copies are written": ctrl_c_in_copies,
    "the kernel of a notebook is killed": killed_kernel,
    "no file larger than 10 kB can be written (a full disk)": full_disk,
    "the disk fills up while packages are installed": full_disk_in_setup,
    "the project's folder is read-only": read_only,
    "the project's folder is read-only before the environment is built": read_only_before_setup,
    "the project's folder is read-only, the environment is built": read_only_but_built,
    "the project's folder has blanks, umlauts and signs of the shell in its name": blanks_and_umlauts,
    "this Python has no venv": no_venv,
    **{f"this Python is {v}": lambda home, folder, v=v: old_python(home, v) for v in ("3.10", "3.6", "2.7")},
    "one of two notebook numbers does not exist": unknown_number,
    "a study's file is cut off in the middle": broken_study,
}


def main(words: str) -> None:
    path, names = Path(__file__).with_suffix(".csv"), ["what happens", "last sentence said", "exit code", "changed"]
    old = pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else pd.DataFrame(columns=names)
    rows = {r[0]: r for r in old[names].itertuples(index=False, name=None)}
    for what, case in CASES.items():
        if words not in what:
            continue
        with tempfile.TemporaryDirectory() as folder:
            home = clone(Path(folder))
            try:
                code, said = case(home, Path(folder))
            except (subprocess.CalledProcessError, PermissionError) as error:
                code, said = "", f"not tried here: {type(error).__name__}"
            said = said.replace(str(home), "FOLDER").replace(folder, "FOLDER")
            rows[what] = (what, " ".join(said.split()), code, git_sees(home))
            print(*rows[what], sep=" | ", flush=True)
            shutil.rmtree(home, ignore_errors=True)
    pd.DataFrame([rows[what] for what in CASES if what in rows], columns=names).to_csv(path, index=False)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
