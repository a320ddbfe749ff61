"""The readable site: nothing from outside, numbered titles, pictures with words, links that lead somewhere."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "docs" / "tools"
PAGES = ["04_reliability", "09_moderation_by_regression"]


@pytest.fixture(scope="module")
def tools():
    pytest.importorskip("myst_nb")
    sys.path.insert(0, str(TOOLS))
    import make_book
    import pages
    import terms

    yield type("Tools", (), {"build": make_book, "pages": pages, "terms": terms})
    sys.path.remove(str(TOOLS))


@pytest.fixture(scope="module")
def site(tools, tmp_path_factory) -> Path:
    """The site with two notebooks, and everything else that it has."""
    target = tmp_path_factory.mktemp("site") / "book"
    with pytest.MonkeyPatch.context() as patch:  # docstrings take Sphinx half of its time, and are tested as such
        patch.setattr(tools.pages, "functions_page", lambda *_: "Functions\n=========\n")
        assert tools.build.build([ROOT / "notebooks" / f"{p}.ipynb" for p in PAGES], target) == 0
    return target


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.needs, self.links, self.bare, self.ids = [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.ids |= {a["id"]} if a.get("id") else set()
        if tag in ("script", "img", "iframe", "source") and a.get("src"):
            self.needs.append(a["src"])
        if tag == "link" and a.get("rel") in ("stylesheet", "icon", "preload", "modulepreload"):
            self.needs.append(a["href"])
        if tag == "img" and not (a.get("alt") or "").strip():
            self.bare.append(a.get("src", "")[-80:])
        if tag == "a" and a.get("href"):
            self.links.append(a["href"])


@pytest.fixture(scope="module")
def parsed(site) -> dict[Path, Page]:
    return {p: Page(p.read_text(encoding="utf-8")) for p in site.rglob("*.html") if "_static" not in p.parts}


def test_scripts_styles_and_pictures_lie_beside_the_pages(site, parsed):
    wrong = []
    for path, page in parsed.items():
        for need in page.needs:
            target = (path.parent / need.partition("?")[0]).resolve()
            if not need.startswith("data:") and (re.match(r"\w+:|//", need) or not target.exists()):
                wrong.append((path.name, need))
    assert wrong == []


def test_styles_ask_for_fonts_of_the_site_only(site):
    wrong, fonts = [], 0
    for style in site.rglob("*.css"):
        for target in re.findall(r"url\(\s*[\"']?([^\"')]+)", style.read_text(encoding="utf-8")):
            fonts += target.partition("?")[0].endswith(("woff2", "woff"))
            inside = target.startswith(("data:", "#")) or (style.parent / re.split(r"[?#]", target)[0]).exists()
            wrong += [] if inside else [(style.name, target)]
    assert wrong == [] and fonts > 10


def test_links_lead_to_pages_and_places_of_the_site(parsed):
    wrong = []
    for path, page in parsed.items():
        for link in page.links:
            if re.match(r"\w+:|//", link):
                continue
            name, _, place = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            if not target.exists() or (place and target in parsed and place not in parsed[target].ids):
                wrong.append((path.name, link))
    assert wrong == []


def test_every_picture_has_words(parsed):
    assert [(p.name, b) for p, page in parsed.items() for b in page.bare] == []


def test_pages_are_numbered_in_title_and_menu(site):
    for name in PAGES:
        text = (site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        assert re.search(rf"<h1>{name[:2]} · ", text)
    assert re.search(r'toctree-l1"><a[^>]+>04 · ', (site / "index.html").read_text(encoding="utf-8"))


def test_formulas_are_left_to_the_copy_of_katex(site):
    text = (site / "notebooks" / "04_reliability.html").read_text(encoding="utf-8")
    assert text.count('class="formula') >= 6 and "katex.min.js" in text and "cdn" not in text
    assert (site / "_static" / "katex" / "LICENSE").exists()
    board = (site / "board.html").read_text(encoding="utf-8")
    assert "katex.min.js" not in board, "a page without a formula does not load it"


def test_solutions_are_labelled_and_folded_and_can_be_left_out(tools, site, tmp_path):
    text = (site / "notebooks" / "09_moderation_by_regression.html").read_text(encoding="utf-8")
    assert text.count("Solution of 09-") == 3 and "dropdown" in text
    tools.build.write_source(tmp_path / "book-source", [ROOT / "notebooks" / f"{PAGES[1]}.ipynb"], solutions=False)
    assert "Solution of" not in (tmp_path / "book-source" / "notebooks" / f"{PAGES[1]}.ipynb").read_text("utf-8")
    assert "holds no solutions" in (tmp_path / "book-source" / "index.md").read_text("utf-8")


def test_terms_lead_to_the_glossary_once_a_page(site):
    text = (site / "notebooks" / "04_reliability.html").read_text(encoding="utf-8")
    links = re.findall(r'class="term[^"]*" href="\.\./glossary\.html#(term-[a-z0-9-]+)"', text)
    assert "term-composite-reliability" in links and len(links) == len(set(links))
    glossary = (site / "glossary.html").read_text(encoding="utf-8")
    assert "组合信度" in glossary and all(f'id="{link}"' in glossary for link in links)


def test_board_has_every_number_and_escapes_what_it_shows(site):
    import switchcost as sc

    text = (site / "board.html").read_text(encoding="utf-8")
    assert len(re.findall(r"<tr><td>", text)) == len(sc.scoreboard().table)
    assert text.count('aria-sort="none"') == 10 and 'id="board-search"' in text


def test_every_data_set_has_a_page_with_its_codebook(site):
    import switchcost as sc

    for name in sc.datasets().index:
        assert "<h2>Codebook" in (site / "data" / f"{name}.html").read_text(encoding="utf-8"), name


def test_tables_of_the_site_escape_hostile_labels(tools):
    import pandas as pd

    html = tools.pages.table(pd.DataFrame({"<b>": ["<script>alert(1)</script>", None]}), 'a "label"')
    assert "<script>" not in html and "<b>" not in html and "&lt;script&gt;" in html and "a &quot;label&quot;" in html


def test_no_ordinary_word_becomes_a_term(tools):
    expression, where = tools.terms.pattern()
    found = {m[0]: tools.terms.anchor_of(m, where) for m in expression.finditer("a map of MAP and Churn, two loadings")}
    assert found["MAP"] and found["map"] == "" and found["Churn"]


def test_what_the_front_page_counts_is_so():
    import switchcost as sc

    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = len(list((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")))
    words = {26: "Twenty-six notebooks", sc.scoreboard().table["study"].nunique(): "twelve publications"}
    assert words[pages] in text and words[12] in text


def test_front_page_names_every_page_with_minutes_and_what_it_rests_on(tools):
    text = tools.pages.map_of_pages()
    rows = re.findall(r"^\| (\d\d) \| \[.+\]\(notebooks/\1_\w+\.ipynb\) \| \d+ \| .+ \|$", text, re.M)
    assert len(rows) == len(list((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")))


def test_pages_of_functions_name_every_public_one(tools):
    import switchcost as sc

    text = tools.pages.functions_page(sc, "Functions", "words")
    assert text.startswith("Functions\n=========")
    for name in ("audit", "moderate", "scoreboard", "from_semopy"):
        assert f".. autofunction:: switchcost.{name}\n" in text
    assert "autofunction:: simmarket.survey" in text and "semfit.fit`" in text


def test_missing_chromium_is_told(tools, monkeypatch, capsys, tmp_path):
    import check

    monkeypatch.setattr(check.shutil, "which", lambda _: None)
    assert check.main(tmp_path) == 1
    assert "apt install chromium" in capsys.readouterr().out


def test_unknown_notebook_is_refused_before_anything_is_built(tmp_path):
    done = subprocess.run([sys.executable, str(TOOLS / "make_book.py"), "77"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "no notebook starts with '77'" in done.stderr


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Debian's chromium")
def test_the_browser_finds_faults_that_are_there(tools, tmp_path):
    pytest.importorskip("websocket")
    import check

    page = tmp_path / "bad.html"
    page.write_text(
        '<html lang="en"><meta name="viewport" content="width=device-width"><body><script src="https://example.org/x.js"></script><img src="none.png">'
        '<p style="color:#bbb;background:#fff">pale</p><div style="width:900px">wide</div>'
        '<span class="formula">\\frac</span>' + "<a href='#'>link</a>" * 15 + "</body></html>",
        encoding="utf-8",
    )
    browser = check.Browser(shutil.which("chromium"), str(tmp_path / "profile"))
    try:
        found = " ".join(check.look(browser, tmp_path, ["bad.html"], None)["bad.html"])
    finally:
        browser.close()
    for fault in ("asks for https", "without alternative", "contrast 1.", "wider than", "formula not drawn"):
        assert fault in found, (fault, found)
