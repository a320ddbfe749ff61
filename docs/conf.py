"""Settings of the readable site that ``python run.py book`` builds from the committed notebooks."""

project = "Switching costs, satisfaction and loyalty"
author = "The switchcost contributors"
copyright = "the switchcost contributors, CC BY 4.0"  # noqa: A001

extensions = ["myst_nb", "sphinx_togglebutton"]
html_theme = "sphinx_book_theme"
html_title = project
html_theme_options = {"show_toc_level": 2, "use_download_button": True}

# The outputs in the repository are the ones that were checked; the site does not compute anything again.
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3
# Headings inside exercises repeat, and hidden input cells keep JupyterLab's own metadata.
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header"]
