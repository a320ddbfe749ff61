"""Execute notebooks in clean kernels: into build/ to be compared, or in place to be kept."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from switchcost.core.errors import DataError

from .comparing import differences, tidy
from .figures import KEEP_IN
from .pages import BUILD, NOTEBOOKS, ROOT, readme, safe_write


def fold(notebook: Any) -> None:
    """Fold in JupyterLab what the site folds: it knows its own mark, and not the tag."""
    for cell in notebook.cells:
        if "hide-input" in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}


def execute(path: Path, figures: Path) -> tuple[Any, float, str]:
    """Run one notebook in a clean kernel.

    Returns
    -------
    (notebook, seconds, problem)
        ``problem`` is empty when every cell ran.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors only, not how the kernel is reached
    )
    began, problem = time.perf_counter(), ""
    try:
        # The same numbers wherever it runs: semopy's order of rows follows the hash seed, sums follow the threads.
        fixed = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        fixed["TQDM_DISABLE"] = "1"  # whether a bar appears depends on the machine
        client.execute(env={**os.environ, **fixed, KEEP_IN: str(figures)})
    except CellExecutionError as error:
        problem = f"a cell failed: {error.ename}: {error.evalue}"
    except CellTimeoutError:
        problem = "a cell ran longer than fifteen minutes"
    except DeadKernelError:
        problem = "the kernel died, most often for lack of memory; close other programs and run it again"
    tidy(notebook)
    fold(notebook)
    return notebook, time.perf_counter() - began, problem


def _job(path: str, figures: str) -> tuple[str, Any, float, str]:
    notebook, seconds, problem = execute(Path(path), Path(figures))
    return path, notebook, seconds, problem


def run_all(chosen: list[Path], figures: Path, jobs: int) -> dict[Path, tuple[Any, float, str]]:
    """Execute notebooks side by side, with a progress bar."""
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    from tqdm import tqdm

    figures.mkdir(parents=True, exist_ok=True)
    done = {}
    with ProcessPoolExecutor(max_workers=jobs) as pool, tqdm(total=len(chosen), unit="notebook") as bar:
        try:
            waiting = [pool.submit(_job, str(p), str(figures)) for p in chosen]
            for future in as_completed(waiting):
                path, notebook, seconds, problem = future.result()
                done[Path(path)] = (notebook, seconds, problem)
                bar.set_postfix_str(Path(path).stem)
                bar.update()
        except BrokenProcessPool as error:
            why = "a process that ran notebooks was killed, most often for lack of memory"
            raise DataError(f"{why}; no notebook was changed. Close other programs, or use --jobs 1") from error
    return {p: done[p] for p in chosen}


def check(chosen: list[Path], jobs: int) -> int:
    """Run into build/, compare with the committed outputs, print the scoreboard; 1 on any difference."""
    import nbformat

    results = run_all(chosen, BUILD / "figures", jobs)
    (BUILD / "notebooks").mkdir(parents=True, exist_ok=True)
    failed = 0
    print(f"\n{'notebook':42s} {'seconds':>7s}  result")
    for path, (notebook, seconds, problem) in results.items():
        safe_write(BUILD / "notebooks" / path.name, nbformat.writes(notebook) + "\n")
        changed = [] if problem else differences(nbformat.read(path, as_version=4), notebook)
        word = problem or (f"{len(changed)} outputs differ" if changed else "as committed")
        print(f"{path.stem:42s} {seconds:7.1f}  {word}")
        for line in changed[:5]:
            print(f"{'':52s}{line}")
        failed += bool(problem or changed)
    times = "".join(f"{path.stem},{took:.0f}\n" for path, (_, took, _) in results.items())
    safe_write(BUILD / "seconds.csv", "notebook,seconds\n" + times)  # shown on the status page of the site
    print(flush=True)
    board = subprocess.call([sys.executable, "-m", "papercheck"], cwd=ROOT)
    if failed:
        print(f"\n{failed} of {len(results)} notebooks did not come out as committed; see build/notebooks.")
    return int(bool(failed or board))


def refresh(chosen: list[Path], jobs: int) -> int:
    """Run in place and keep the new outputs and figures."""
    import nbformat

    failed = 0
    for path, (notebook, seconds, problem) in run_all(chosen, ROOT / "figures", jobs).items():
        print(f"{path.stem:42s} {seconds:7.1f}  {problem or 'refreshed'}")
        failed += bool(problem)
        if not problem:
            safe_write(path, nbformat.writes(notebook) + "\n")
    return int(bool(failed)) or readme()
