"""A label from a file stays a label: HTML, Markdown and LaTeX escape it, wherever a result shows it."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import switchcost as sc

HOSTILE = '<script>alert("1")</script>'
TAMED = "&lt;script&gt;"
NAMES = [f"{HOSTILE}{k}" for k in range(3)] + ["<b>bold", "a & b", "c<i>"]


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    f, g = rng.normal(size=(2, 150))
    values = np.column_stack([f, f, f, g, g, g]) + rng.normal(size=(150, 6))
    return pd.DataFrame(np.clip(np.round(values + 3), 1, 5), columns=NAMES)


SCALES = {'<img src="x">': NAMES[:3], "q & <b>": NAMES[3:]}
RESULTS = {
    "audit": lambda d: sc.audit(d.assign(**{NAMES[0]: 3.0})),
    "htmt": lambda d: sc.htmt(d, SCALES),
    "efa": lambda d: sc.efa(d, n_factors=2),
    "item_analysis": lambda d: sc.item_analysis(d, NAMES[:3]),
    "moderate": lambda d: sc.moderate(d, y=NAMES[0], x=NAMES[1], moderator=NAMES[2]),
    "mediate": lambda d: sc.mediate(d, x=NAMES[0], m=NAMES[1], y=NAMES[2], n_boot=500),
    "parallel_analysis": lambda d: sc.parallel_analysis(d),
    "kmo": lambda d: sc.kmo(d),
    "table": lambda d: sc.tables.table(d.describe(), title=HOSTILE, note=HOSTILE),
    "invariance": lambda d: sc.invariance(
        "lat =~ a + b + c + d",
        d.set_axis(list("abcdef"), axis=1).assign(g=np.where(np.arange(150) % 2, HOSTILE, "b & <i>")),
        group="g",
    ),
    "fit by group": lambda d: sc.fit(
        "lat =~ a + b + c + d",
        d.set_axis(list("abcdef"), axis=1).assign(g=np.where(np.arange(150) % 2, HOSTILE, "b & <i>")),
        group="g",
    ),
}


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.filterwarnings("ignore")
def test_html_of_results_has_no_tag_from_the_file(answers, name):
    result = RESULTS[name](answers)
    if not hasattr(result, "_repr_html_"):
        pytest.skip("shown as text only")
    html = result._repr_html_()
    assert not Tags(html).tags & {"script", "img", "i"}, name
    assert not re.search(r"<b>bold|q & <b>", html)


def test_the_fixture_is_hostile(answers):
    assert "script" in Tags(answers.to_html(escape=False)).tags


def test_tables_escape_in_markdown_and_latex():
    frame = pd.DataFrame({"a|b": [HOSTILE, "50% of $5 & x_1 #2 {~^\\}"]})
    made = sc.tables.table(frame, title="t_1 & 50%", note="| <b> |")
    markdown = made.to_markdown()
    assert "<script>" not in markdown and "a\\|b" in markdown
    assert all(line.count("|") - line.count("\\|") == 2 for line in markdown.splitlines() if line.startswith("|"))
    latex = made.to_latex()
    body = latex[latex.index("\\begin{tabular}") :]
    assert "50\\% of \\$5 \\& x\\_1 \\#2" in body
    assert "t\\_1 \\& 50\\%" in latex
