#!/usr/bin/env python3
"""One command for everything. Needs Python 3.11 or newer and nothing else.

python run.py            run every notebook in a clean kernel, compare its numbers, print the scoreboard
python run.py 05 11      the same with those two only
python run.py test       run the tests
python run.py lab        open JupyterLab at the first notebook
python run.py refresh    run notebooks in place and keep their new outputs (refresh 05 11: only those)
python run.py copies     write student/ and student.zip (no solutions), instructor/ (solutions, plans, slides, answer key)
python run.py game       write game/, the replication game for one session (game team_a.csv team_b.csv: the board)
python run.py book       build the readable site into build/book (--without-solutions; book --check looks for faults)
python run.py codebook answers.sav   write a codebook to begin with beside a survey file
python run.py chapter ANSWERS CODEBOOK STUDY   write a results chapter beside the answers (--out FOLDER)
python run.py new-study NAME   write a folder NAME with answers, codebook and study file that run
python run.py check-paper table.csv   hold the numbers of a printed table against each other (--n, --scale LOW HIGH)
python run.py check-study smith2020   what a folder of data/published still lacks, and how its numbers are judged
python run.py setup      only build the environment in .venv

The first call builds .venv from requirements.lock: 1 to 10 minutes, 230 MB to fetch, 1.2 GB on the disk. Later calls start
at once.
"""

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

# An older Python has to read this file to its end before it can say so: annotations that 3.6 cannot evaluate are in quotes.
# Python 2 stops at the next line and shows it.
NEEDS: str = "the collection needs Python 3.11 or newer, for example: python3.12 run.py"

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "built-from"
OLDEST, TRIED = (3, 11), ((3, 11), (3, 12), (3, 13))
# Measured on Linux: what is fetched, and .venv as pip leaves it (as uv leaves it 0.9 GB: no byte code yet). A test holds the
# figures of the text above and of README.md to these. What the installer keeps for itself needs room as well.
DOWNLOAD_MB, SIZE_GB = 230, 1.2
NEEDED_GB = 2.5
COMMANDS = (
    "all", "test", "lab", "refresh", "copies", "game", "book", "codebook", "chapter", "new-study", "check-paper", "check-study", "setup",
)  # fmt: skip


def stop(message: str) -> None:
    """End with one sentence for the reader instead of a traceback."""
    sys.exit(f"\n{message}")


def venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(installer: str) -> str:
    """What the environment was built from; it is rebuilt when this changes."""
    version = ".".join(map(str, sys.version_info[:2]))
    return f"{hashlib.sha256(LOCK.read_bytes()).hexdigest()} python {version} {installer}"


def choose_installer() -> str:
    """uv when it is there (much faster), pip otherwise; SWITCHCOST_INSTALLER=pip decides."""
    asked = os.environ.get("SWITCHCOST_INSTALLER")
    if asked not in (None, "", "uv", "pip"):
        stop(f"SWITCHCOST_INSTALLER is {asked!r}; it can be uv or pip.")
    if asked == "uv" and not shutil.which("uv"):
        stop("SWITCHCOST_INSTALLER is uv, and uv is not on the path. Unset it to use pip.")
    return asked or ("uv" if shutil.which("uv") else "pip")


def explain(output: str) -> str:
    """Turn an installer's last words into what to do about them."""
    words = output.lower()
    if "no space left" in words or "not enough space" in words or "disk full" in words:
        return f"The disk is full. The environment needs about {NEEDED_GB} GB below {ROOT}."
    offline = ("connection", "network", "name resolution", "timed out", "temporary failure", "dns", "proxy")
    if any(word in words for word in offline):
        return "The package index cannot be reached. The first set-up needs a network; later runs do not."
    if "ensurepip" in words or "no module named venv" in words:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        return f"This Python came without venv. On Debian and Ubuntu: sudo apt install {package}; then run this again."
    if "read-only file system" in words or "permission denied" in words:
        return f"The folder {ROOT} may not be written. Copy the project to a folder of your own and run it there."
    if "hash" in words and "match" in words:
        return "A package is not the one the lock file names (its hash differs). Empty the installer's cache."
    return "The installer failed; its last lines are above."


def call(command: "list[str]", what: str) -> None:
    """Run an installer step, show what it prints, and explain a failure."""
    print(f"  {what} ...", flush=True)
    tail = []
    try:
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            for line in process.stdout:
                tail = [*tail[-40:], line]
                if sys.stdout.isatty() and line.strip():
                    print("\r  " + line.strip()[:90].ljust(90), end="", flush=True)
        if sys.stdout.isatty():
            print("\r" + " " * 94 + "\r", end="")
    except OSError as error:
        stop(explain(str(error)) if error.errno == errno.ENOSPC else f"Cannot run {command[0]}: {error}")
    if process.returncode:
        sys.stderr.writelines(tail)
        stop(explain("".join(tail)))


def setup() -> None:
    """Build .venv from requirements.lock; do nothing when it is already built from it."""
    version = ".".join(map(str, sys.version_info[:2]))
    if sys.version_info[:2] < OLDEST:
        stop(f"This is Python {version}; {NEEDS}")
    installer = choose_installer()
    built = STAMP.read_text(encoding="utf-8") if STAMP.exists() else ""
    if built.rsplit(" ", 1)[0] == fingerprint(installer).rsplit(" ", 1)[0] and venv_python().exists():
        write_own_files()
        return
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < NEEDED_GB:
        stop(f"The disk has {free:.1f} GB free; the environment needs about {NEEDED_GB} GB.")
    print(f"Building the environment in .venv with {installer} (once, a few minutes)")
    if sys.version_info[:2] not in TRIED:
        print(f"  Python {version} has not been tried; 3.11 to 3.13 have. If this fails, use one of those.")
    if installer == "uv":
        call(["uv", "venv", "--clear", "--python", sys.executable, str(VENV)], "making .venv")
        call(
            ["uv", "pip", "sync", "--python", str(venv_python()), "--require-hashes", str(LOCK)],
            "installing the packages of requirements.lock",
        )
    else:
        call([sys.executable, "-m", "venv", "--clear", str(VENV)], "making .venv")
        call(
            [str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check"]
            + ["--require-hashes", "-r", str(LOCK)],
            "installing the packages of requirements.lock",
        )
    write_own_files()
    STAMP.write_text(fingerprint(installer), encoding="utf-8")
    print("  done")


def inside(*arguments: str, where: "str | Path" = ROOT, alone: bool = True) -> int:
    """Run Python from .venv and return its exit code.

    With ``alone``, Ctrl-C ends the command with all its processes and one sentence; otherwise (JupyterLab, pytest) the
    command hears the key itself and answers in its own way.
    """
    env = dict(os.environ, PYTHONUTF8="1", JUPYTER_PREFER_ENV_PATH="1", PYTHONHASHSEED="0")
    # One thread a process: notebooks and tests run side by side, and the numbers do not depend on the split.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        env.setdefault(name, "1")
    env.pop("PYTHONPATH", None)
    env["SWITCHCOST_CALL"] = f"{'py' if os.name == 'nt' else 'python3'} {sys.argv[0]}"  # for commands to copy
    alone = alone and os.name != "nt"
    process = subprocess.Popen([str(venv_python()), *arguments], cwd=where, env=env, start_new_session=alone)
    try:
        return process.wait()
    except KeyboardInterrupt:
        if alone:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        print("\nStopped. No file is left half written; run the command again.", file=sys.stderr)
        return 130


def write_own_files() -> None:
    """What the environment holds beside the packages of the lock file.

    The way to src/: an edit there counts at once and no build tool is needed. It is relative, so that it holds when the folder
    is moved or copied, and plain ASCII whatever the folder is called. And a setting: JupyterLab does not ask on top of the first
    page whether it may fetch news (a reader's own settings go before it).
    """
    news = VENV / "etc" / "jupyter" / "labconfig" / "default_setting_overrides.json"
    files = {news: '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}\n'}
    for packages in (*VENV.glob("lib/python*/site-packages"), *VENV.glob("Lib/site-packages")):
        files[packages / "switchcost-src.pth"] = os.path.relpath(ROOT / "src", packages) + "\n"
    for path, text in files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def main(arguments: "list[str]") -> int:
    command, rest = (arguments[0], arguments[1:]) if arguments else ("all", [])
    if command in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    if command[:2].isdigit():  # python run.py 05 11: only those notebooks
        command, rest = "all", arguments
    if command not in COMMANDS:
        stop(f"There is no command {command!r}. There are: {', '.join(COMMANDS[1:])}; without one, everything runs.")
    setup()
    if command == "setup":
        print("The environment is ready: python run.py lab")
        return 0
    if command == "test":
        workers = [] if any(a.startswith("-n") for a in rest) else ["-n", str(min(os.cpu_count() or 1, 8))]
        return inside("-m", "pytest", *workers, *rest, alone=False)
    if command == "lab":
        # The root is the project's folder, so that data/ and student/ can be opened; scripts of .venv know an old place.
        first = f"/lab/tree/notebooks/{min((p.name for p in ROOT.glob('notebooks/*.ipynb')), default='')}"
        place = (f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url={first}")
        return inside("-m", "jupyterlab", *place, *rest, alone=False)
    if command in ("codebook", "chapter", "new-study"):  # files are named from where the person is
        return inside("-m", "surveychapter.command", command, *rest, where=os.getcwd())
    if command in ("check-paper", "check-study"):
        return inside("-m", "papercheck", command, *rest)
    if command == "game":
        return inside("docs/tools/game.py", *map(os.path.abspath, rest))
    if command == "copies":
        steps = (
            ("-m", "coursepages", command, *rest),
            ("docs/tools/class_kit.py", *rest),
            ("docs/tools/game.py", "--key"),
        )
        return next((code for code in (inside(*step) for step in steps) if code), 0)
    if command == "book":
        return inside("docs/tools/make_book.py", *rest)
    if command == "all":
        return inside("-m", "coursepages", "check", *rest)
    return inside("-m", "coursepages", command, *rest)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nStopped. Nothing is half done: the next call begins where this one began.")
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.ENOSPC, errno.EROFS):
            raise
        stop(explain(str(error)))
