"""Spoiled inputs through the command line: exit code 2 and one sentence with the mend, never a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from surveychapter.command import main

ITEMS = {
    "satisfaction": ["sat1", "sat2", "sat3"],
    "trust": ["tr1", "tr2", "tr3"],
    "loyalty": ["loy1", "loy2", "loy3"],
}
STUDY = 'hypotheses:\n  - "H1: satisfaction -> loyalty (+)"\nn_boot: 100\n'


def answers(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    common = rng.normal(size=n)
    frame = {"id": np.arange(1, n + 1)}
    for items in ITEMS.values():
        own = 0.7 * common + rng.normal(size=n)
        for item in items:
            frame[item] = np.clip(np.round(3 + 0.8 * (own + rng.normal(size=n))), 1, 5).astype(int)
    return pd.DataFrame(frame)


def codebook() -> pd.DataFrame:
    rows = [(i, c, f"Wording of {i}", 1, 5) for c, items in ITEMS.items() for i in items]
    return pd.DataFrame(rows, columns=["variable", "construct", "label_en", "low", "high"])


class Files:
    """Answers, codebook and study of a case; what is not spoiled is whole."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.answers, self.book, self.study = folder, "answers.csv", codebook(), STUDY
        self.data(answers())

    def data(self, frame: pd.DataFrame, header: bool | list[str] = True) -> None:
        frame.to_csv(self.folder / "answers.csv", index=False, header=header)

    def text(self, text: str) -> None:
        (self.folder / "answers.csv").write_text(text, encoding="utf-8")

    def sheets(self, name: str = "answers.xlsx", **sheets: pd.DataFrame) -> None:
        self.answers = name
        with pd.ExcelWriter(self.folder / name) as book:
            for sheet, frame in sheets.items():
                frame.to_excel(book, sheet_name=sheet, index=False)

    def arguments(self) -> list[str]:
        if isinstance(self.book, pd.DataFrame):
            self.book.to_csv(self.folder / "codebook.csv", index=False)
        (self.folder / "study.yaml").write_text(self.study, encoding="utf-8")
        return [
            "chapter",
            "--no-notebook",
            *(str(self.folder / f) for f in (self.answers, "codebook.csv", "study.yaml")),
        ]


def several_sheets(f: Files) -> None:
    f.sheets(pilot=answers(20), main=answers())


def wrong_sheet(f: Files) -> None:
    f.sheets(notes=pd.DataFrame({"what": ["a", "b"], "when": ["x", "y"]}), main=answers())
    f.study += "read: {sheet: notes}\n"


def no_such_sheet(f: Files) -> None:
    f.sheets(main=answers())
    f.study += "read: {sheet: answers}\n"


def merged_header(f: Files) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["id", "Satisfaction", None, None, "Trust", None, None, "Loyalty", None, None])
    for cells in ("B1:D1", "E1:G1", "H1:J1"):
        sheet.merge_cells(cells)
    for row in [list(answers().columns), *answers().to_numpy().tolist()]:
        sheet.append(row)
    book.save(f.folder / "answers.xlsx")
    f.answers = "answers.xlsx"


def title_without_names(f: Files) -> None:
    f.text("Survey 2025" + "," * 9 + "\n" + answers().to_csv(index=False, header=False))


def two_studies(f: Files) -> None:
    f.text(answers().to_csv(index=False) + answers(40).to_csv(index=False))


def two_tables(f: Files) -> None:
    f.text(answers().to_csv(index=False) + "\nstore,sales\nA,3\nB,4\n")


def label_in_a_row(f: Files) -> None:
    frame = answers().astype(object)
    frame.loc[60] = ["mean", *["3.1"] * 8, "about three"]
    f.data(frame)


def all_equal(f: Files) -> None:
    f.data(answers().assign(**{i: 3 for items in ITEMS.values() for i in items}))


def item_equal(f: Files) -> None:
    f.data(answers().assign(sat2=4))


def unknown_construct(f: Files) -> None:
    f.study = STUDY.replace("loyalty", "loyality")


def cycle(f: Files) -> None:
    f.study = 'hypotheses:\n  - "satisfaction -> trust"\n  - "trust -> loyalty"\n  - "loyalty -> satisfaction"\n'


def empty_file(f: Files) -> None:
    f.text("")


def header_only(f: Files) -> None:
    f.text(",".join(answers().columns) + "\n")


def no_header(f: Files) -> None:
    f.data(answers(), header=False)


def names_twice(f: Files) -> None:
    f.data(answers(), header=[*answers().columns[:-1], "loy2"])


def text_in_item(f: Files) -> None:
    frame = answers().astype(object)
    frame.loc[7, "sat2"] = "dont know"
    f.data(frame)


def words_nobody_knows(f: Files) -> None:
    frame = answers().astype(object)
    frame["sat2"] = frame["sat2"].map({1: "ugh", 2: "meh", 3: "okay-ish", 4: "nice", 5: "wow"})
    f.data(frame)


def other_codebook(f: Files) -> None:
    f.book = f.book.assign(variable=[f"Q{i}" for i in range(len(f.book))])


def misspelt_variable(f: Files) -> None:
    f.book["variable"] = f.book["variable"].replace("sat3", "sta3")


def exchanged(f: Files) -> None:
    f.data(codebook())
    f.book = answers()


def codebook_without_scales(f: Files) -> None:
    f.book = f.book.assign(construct="")


def variable_twice(f: Files) -> None:
    f.book = pd.concat([f.book, f.book.iloc[[0]]])


def range_upside_down(f: Files) -> None:
    f.book["low"], f.book["high"] = f.book["high"], f.book["low"]


def reverse_without_range(f: Files) -> None:
    f.book = f.book.assign(reverse=[1, *[0] * 8])
    f.book.loc[0, ["low", "high"]] = np.nan


def group_of_one(f: Files) -> None:
    f.data(answers().assign(contract="prepaid"))
    f.study += "group: contract\n"


def group_absent(f: Files) -> None:
    f.study += "group: contract\n"


def unknown_exclusion(f: Files) -> None:
    f.study += "exclude: [duplicates_all]\n"


def swapped_axes(f: Files) -> None:
    f.text(answers(6).T.to_csv(header=False))


def a_picture(f: Files) -> None:
    (f.folder / "answers.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(200))


def open_document(f: Files) -> None:
    head = b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" + bytes(50)
    (f.folder / "answers.ods").write_bytes(head)
    f.answers = "answers.ods"


def old_workbook(f: Files) -> None:
    (f.folder / "answers.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))
    f.answers = "answers.xls"


def password(f: Files) -> None:
    (f.folder / "answers.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))
    f.answers = "answers.xlsx"


def no_file(f: Files) -> None:
    f.answers = "anwsers.csv"


SPOILED = {
    several_sheets: "2 sheets with data: pilot, main. Say which: read: {sheet: 'pilot'} in the study file",
    wrong_sheet: "9 of the 9 variables of the codebook are no columns",
    no_such_sheet: "has no sheet 'answers'. There are: main",
    merged_header: "column 3 has no name. Write one into the first line (cells of the header that are merged",
    title_without_names: "the first line holds 'Survey 2025' alone, which is a title",
    two_studies: "line 122 repeats the names of line 1, so two exports stand below each other",
    two_tables: "line 123: 2 cells where the header has 10",
    label_in_a_row: "column 'id' of answers.csv holds text in 1 row among numbers: 'mean'",
    all_equal: "is constant: every answer is 3",
    item_equal: "'sat2' is constant: every answer is 4",
    unknown_construct: "'loyality' is neither a construct of the codebook nor a column of the data. Did you mean 'loyalty'",
    cycle: "go in a circle: ",
    empty_file: "answers.csv is empty",
    header_only: "has a header and no answers",
    no_header: "the first line holds numbers",
    names_twice: "occur twice: loy2. Rename them",
    text_in_item: "'sat2' of answers.csv holds text in 1 row among numbers: 'dont know'",
    words_nobody_knows: "holds words where the codebook has a range ('nice', 'okay-ish', 'wow'); say what each means in the codebook's column 'values'",
    other_codebook: "is it the codebook of another file",
    misspelt_variable: "the codebook lists 'sta3', which is not a column of answers.csv. Did you mean 'sat3'",
    exchanged: "has no column 'variable'",
    codebook_without_scales: "'satisfaction' is neither a construct of the codebook nor a column of the data. There are: id",
    variable_twice: "lists sat1 more than once",
    range_upside_down: "low must be below high",
    reverse_without_range: "item 'sat1' is marked reverse, but the codebook gives no low and high",
    group_of_one: "group 'contract' has 1 different values; it needs 2 to 8",
    group_absent: "group: 'contract' is not a column of the data. There are: id",
    unknown_exclusion: "'duplicates_all' is no check of the audit. Did you mean 'duplicated'",
    swapped_axes: "is it the codebook of another file, or another sheet?",
    a_picture: "holds binary data, not text",
    open_document: "is an OpenDocument table (.ods), not a text file. In LibreOffice choose 'Save as'",
    old_workbook: "is an old Excel workbook (.xls)",
    password: "or one with a password",
    no_file: "Did you mean 'answers.csv'",
}


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda f: f.__name__)
def test_a_spoiled_input_is_one_sentence_with_its_mend(spoil, tmp_path, capsys):
    files = Files(tmp_path)
    spoil(files)
    assert main(files.arguments()) == 2
    out, err = capsys.readouterr()
    assert SPOILED[spoil] in err and err.count("\n") == 1 and "Traceback" not in err and len(err) < 1300 and out == ""
    assert not list(tmp_path.glob("*_chapter"))


def test_what_is_odd_and_no_fault_leaves_a_chapter_and_a_word_about_it(tmp_path, capsys):
    """Ids that occur twice, an outcome of one item, words that only the codebook explains."""
    frame = answers().astype(object)
    frame["id"] = [*range(1, 111), *range(1, 11)]
    frame["tr1"] = frame["tr1"].map({1: "ugh", 2: "meh", 3: "okay-ish", 4: "nice", 5: "Wow"})
    files = Files(tmp_path)
    files.data(frame)
    words = "1 = ugh; 2 = meh; 3 = okay-ish; 4 = nice; 5 = wow"
    files.book = codebook().assign(values=[words if i == "tr1" else "" for i in codebook()["variable"]])
    files.book.loc[files.book["variable"].isin(["loy1", "loy2"]), "construct"] = ["stay", "recommend"]
    files.book.loc[9] = ["id", "key", "", np.nan, np.nan, ""]
    files.study = 'hypotheses: ["satisfaction -> trust -> stay (+)"]\nn_boot: 100\n'
    assert main(files.arguments()) == 0
    folder = tmp_path / "answers_chapter"
    twice = "10 values of 'id' occur more than once (1, 2, 3, 4); all their records are kept"
    assert twice in capsys.readouterr().out
    assert twice in (folder / "settle_first.md").read_text(encoding="utf-8")
    tables = "".join(t.read_text(encoding="utf-8") for t in folder.glob("table_*.csv"))
    assert "satisfaction → trust → stay (+)" in tables


def test_names_that_no_model_can_spell_are_printed_as_they_are(tmp_path):
    """Items with blanks, signs and leading digits; constructs of several words, one of them Chinese."""
    items = [i for group in ITEMS.values() for i in group]
    names = {item: f"{k}. Frage: {item} ?" for k, item in enumerate(items, start=1)}
    files = Files(tmp_path)
    files.data(answers().rename(columns=names))
    files.book["variable"] = files.book["variable"].map(names)
    words = {"satisfaction": "1st satisfaction", "trust": "信任 (总体)", "loyalty": "loyalty, attitude"}
    files.book["construct"] = files.book["construct"].map(words)
    claims = ["1st satisfaction -> 信任 (总体) -> loyalty, attitude (+)", "1st Satisfaction -> loyalty attitude"]
    files.study = "hypotheses:\n" + "".join(f'  - "{c}"\n' for c in claims) + "n_boot: 100\n"
    assert main(files.arguments()) == 0
    folder = tmp_path / "answers_chapter"
    text = (folder / "chapter.md").read_text(encoding="utf-8")
    assert "1st satisfaction → 信任 (总体) → loyalty, attitude (+)" in text and "item_1" not in text
    assert "could not be" not in text and "scale_1st" not in text


@pytest.mark.parametrize("titles", [["Survey 2025 (answers)"], ["Customer survey", "exported by the panel"]])
def test_a_title_above_the_names_of_a_workbook_is_left_out_and_told(titles, tmp_path, capsys):
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for k, title in enumerate(titles, start=1):
        sheet.append([title])
        sheet.merge_cells(f"A{k}:J{k}")
    for row in [list(answers().columns), *answers().to_numpy().tolist()]:
        sheet.append(row)
    book.save(tmp_path / "answers.xlsx")
    files = Files(tmp_path)
    files.answers = "answers.xlsx"
    assert main(files.arguments()) == 0
    told = (tmp_path / "answers_chapter" / "settle_first.md").read_text(encoding="utf-8")
    assert f"above the names left out: the title {titles[0]!r}" in told
    flow = (tmp_path / "answers_chapter" / "flow_of_n.csv").read_text(encoding="utf-8")
    said = [part for part in re.split(r"[\r\n]+", capsys.readouterr().err) if part.strip()]
    assert "records in the file,0,120" in flow
    assert [part for part in said if not part.startswith("chapter:")] == []  # a slow machine draws a progress bar
