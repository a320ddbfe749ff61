"""From a survey file to a chapter by two commands, without a line of Python: right n and right means."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pandas as pd
import pytest

import switchcost as sc
from surveychapter.command import main
from switchcost.core.errors import SurveyNote

SURVEYS = Path(__file__).parents[1] / "switchcost" / "surveys"
SCALES = {"satisfaction": 4, "switching_costs": 5, "trust": 3, "loyalty": 4}
ORDER = [scale for scale, n in SCALES.items() for _ in range(n)]
# file: records, left, means of items by position among the sixteen (all records where keep is "all"), step that dropped some
FILES = {
    "01_google_forms.csv": (214, 214, {0: 3.6476, 8: 2.2441, 15: 2.3810}, None),
    "02_qualtrics.csv": (231, 193, {0: 4.6788, 8: 3.2591, 10: 4.7358, 15: 3.2176}, ("unfinished", 23)),
    "03_limesurvey.csv": (188, 161, {}, ("unfinished", 27)),
    "04_spss.sav": (305, 305, {0: 3.6424}, None),
    "06_wjx_gb18030.csv": (326, 326, {0: 3.5767, 8: 2.4417, 15: 2.5092}, None),
    "08_german_excel.csv": (160, 160, {}, None),
    "09_n63.csv": (63, 63, {}, None),
    "10_missing40.csv": (240, 240, {}, None),
    "11_mixed_scales.csv": (264, 248, {}, ("failed attention", 16)),
}
WITH_CHAPTER = ["01_google_forms.csv", "03_limesurvey.csv", "06_wjx_gb18030.csv", "09_n63.csv", "10_missing40.csv"]


def corrected(path: Path) -> pd.DataFrame:
    """What a person does in Excel with the codebook to begin with: name the four scales, and the attention item."""
    book = pd.read_excel(path)
    number = book["low"].notna() & (book["construct"] != "attention")
    items = book.index[number][:16]
    book.loc[items, "construct"] = ORDER
    attention = book["variable"] == "attention"
    book.loc[attention, ["construct", "low", "high"]] = ["attention", 2, 2]
    book.to_excel(path, index=False)
    return book.loc[items]


@pytest.mark.parametrize("file", FILES)
def test_two_commands_lead_from_the_file_to_the_right_numbers(file, tmp_path, capsys, no_figures):
    records, left, means, dropped = FILES[file]
    path = Path(shutil.copy(SURVEYS / file, tmp_path))
    assert main(["codebook", str(path)]) == 0
    assert "The codebook to begin with is" in capsys.readouterr().out
    book_file = tmp_path / f"{path.stem}_codebook.xlsx"
    items = corrected(book_file)
    assert items["reverse"].astype(float).tolist() == [0] * 8 + [1] + [0] * 6 + [1] or file.startswith("01")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyNote)
        data = sc.read_survey(path, book_file)
    assert len(data) == left
    for position, mean in means.items():
        assert round(data[items["variable"].iloc[position]].mean(), 4) == mean
    if file not in WITH_CHAPTER:
        return
    study = tmp_path / "study.yaml"
    study.write_text(
        'hypotheses: ["satisfaction -> loyalty (+)", "trust -> loyalty (+)"]\nn_boot: 100\n', encoding="utf-8"
    )
    assert main(["chapter", str(path), str(book_file), str(study), "--no-notebook"]) == 0
    assert str(tmp_path) in capsys.readouterr().out
    folder = tmp_path / f"{path.stem}_chapter"
    flow = pd.read_csv(folder / "flow_of_n.csv")
    assert flow["left"].iloc[0] == records and flow["left"].iloc[-1] == left
    if dropped:
        assert flow.set_index("step").loc[dropped[0], "dropped"] == dropped[1]
    tables = [t.read_text(encoding="utf-8") for t in folder.glob("table_*.csv")]
    assert sum("satisfaction → loyalty (+)" in t for t in tables) == 1


def test_the_right_means_of_files_whose_codebook_is_given():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyNote)
        lime = sc.read_survey(SURVEYS / "03_limesurvey.csv", keep="all")
        german = sc.read_survey(SURVEYS / "08_german_excel.csv", SURVEYS / "08_codebook.csv")
    items = [c for c in lime if c[:3] in ("SAT", "SWI", "TRU", "LOY")]
    assert lime[items].mean().iloc[[0, 8, 15]].round(4).tolist() == [3.6915, 2.4681, 2.3457]
    assert german[["einkommen_tsd", "größe_haushalt"]].mean().round(4).tolist() == [2.7616, 2.95]
