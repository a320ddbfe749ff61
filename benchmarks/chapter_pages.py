"""Three chapters as Word and as pictures of their pages, to be looked at: English, Chinese, PLS.

    python benchmarks/chapter_pages.py            # writes docs/chapters/<name>-<page>.png

Needs LibreOffice (Debian: libreoffice-writer) and pdftoppm (poppler-utils), and says so where they are missing; fonts-noto-cjk
for the Chinese chapter. The answers are the simulated ones of the tests. Not part of the tests.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import switchcost as sc
from surveychapter.chapter import Chapter, results_chapter

ROOT = Path(__file__).resolve().parents[1]
SURVEYS = ROOT / "tests" / "switchcost" / "surveys"
STUDY = {
    "hypotheses": [
        "H1: satisfaction -> loyalty (+)", "H2: satisfaction -> trust -> loyalty (+)",
        "H3: satisfaction x switching_costs -> loyalty (-)", "H4: satisfaction x operator -> loyalty",
    ],
    "covariates": ["age", "gender"], "group": "contract", "efa": True, "exclude": ["duplicated", "careless"], "simulated": True,
}  # fmt: skip
TOOLS = {"soffice": "LibreOffice (Debian: apt-get install libreoffice-writer)", "pdftoppm": "poppler-utils"}


def missing() -> list[str]:
    """What has to be installed before pages can be pictured."""
    return [what for command, what in TOOLS.items() if shutil.which(command) is None]


def chapters(n_boot: int) -> dict[str, Chapter]:
    """The three chapters by name."""
    answers, book = SURVEYS / "04_spss.sav", SURVEYS / "codebook_plain.csv"
    chinese = sc.codebook("telecom_survey").query(
        "construct in ['satisfaction', 'trust', 'benefit_loss', 'attitudinal', 'group']"
    )
    survey = sc.load("telecom_survey")
    claims = [
        "H1: satisfaction -> attitudinal (+)",
        "H2: satisfaction -> trust -> attitudinal (+)",
        "H3: satisfaction x benefit_loss -> attitudinal (-)",
    ]
    study = {"hypotheses": claims, "group": "contract", "exclude": ["duplicated", "careless"], "simulated": True}
    return {
        "english": results_chapter(answers, book, STUDY, n_boot=n_boot),
        "chinese": results_chapter(survey, chinese, study, n_boot=n_boot, language="zh"),
        "pls": results_chapter(answers, book, {**STUDY, "method": "pls"}, n_boot=n_boot),
    }  # fmt: skip


def pictures(made: Chapter, name: str, folder: Path, dpi: int) -> list[Path]:
    """One PNG a page."""
    with tempfile.TemporaryDirectory() as place:
        made.without_alarms().to_docx(Path(place) / f"{name}.docx")
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(
            ["soffice", "--headless", "--convert-to", "pdf", "--outdir", place, f"{place}/{name}.docx"], **quiet
        )
        for old in folder.glob(f"{name}-*.png"):
            old.unlink()
        subprocess.run(
            ["pdftoppm", "-r", str(dpi), "-png", "-gray", f"{place}/{name}.pdf", str(folder / name)], **quiet
        )
    return sorted(folder.glob(f"{name}-*.png"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "chapters")
    parser.add_argument("--n-boot", type=int, default=1000)
    parser.add_argument("--dpi", type=int, default=72)
    options = parser.parse_args()
    if lacking := missing():
        print(
            f"The pages cannot be pictured: {' and '.join(lacking)} missing. Word files need nothing of it.",
            file=sys.stderr,
        )
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    for name, made in chapters(options.n_boot).items():
        pages = pictures(made, name, options.out, options.dpi)
        print(f"{name}: {len(pages)} pages in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
