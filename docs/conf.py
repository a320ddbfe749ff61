"""Settings of the readable site that ``python run.py book`` builds from the committed notebooks."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "tools"))

project = "Switching costs, satisfaction and loyalty"
author = "The switchcost contributors"
copyright = "the switchcost contributors, CC BY 4.0"  # noqa: A001
language = "en"

extensions = ["myst_nb", "sphinx_togglebutton", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "terms", "formulas"]
html_theme = "sphinx_book_theme"
html_title = project
html_theme_options = {"show_toc_level": 2, "use_download_button": True, "navigation_with_keys": False}
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = [("book.js", {"defer": "defer"})]
html_last_updated_fmt = None
html_show_sphinx = False
html_use_index = False
exclude_patterns = ["tools", "_static", "fragments"]

# The outputs in the repository are the ones that were checked; the site does not compute anything again.
nb_execution_mode = "off"
nb_code_prompt_show = "Show the code ({type})"
nb_code_prompt_hide = "Hide the code ({type})"
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"  # the docstrings say the types in words
# Headings inside exercises repeat, and hidden input cells keep JupyterLab's own metadata.
# A word such as n in a docstring is not a reference to every attribute of that name.
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header", "ref.python"]
