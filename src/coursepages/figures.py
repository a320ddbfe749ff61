"""Begin a page, and show its figures with an alternative text that reaches every reader."""

from __future__ import annotations

import html
import io
import os
import re
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from switchcost.core.errors import DataError
from switchcost.core.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEEP_IN = "SWITCHCOST_FIGURES"  # the folder that figures are kept in; a page run by hand keeps none


def start(name: str, seed: int) -> np.random.Generator:
    """Begin a notebook: set the figure style, print the seed, return the random generator.

    Parameters
    ----------
    name : str
        File name of the notebook without ``.ipynb``; its figures are named after its number.
    seed : int
        Everything random in the notebook comes from it.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> rng = start("09_moderation_by_regression", seed=909)
    notebook 09_moderation_by_regression, seed 909
    """
    from switchcost import plots

    plots.style()
    print(f"notebook {name}, seed {seed}")
    return np.random.default_rng(seed)


def figure(fig: Figure, name: str, alt: str) -> None:
    """Show a figure once with its alternative text; ``python run.py refresh`` also keeps it as a file.

    Parameters
    ----------
    fig : matplotlib Figure
        It is closed afterwards.
    name : str
        ``<notebook number>_<what it shows>``: ``figures/<name>.svg`` and ``.png``.
    alt : str
        What a listener needs to draw the figure: axes, the main numbers, the message. At least ten words. It is in
        the notebook, in its HTML export and in the site.

    Raises
    ------
    DataError
        The name does not start with two digits, or the alternative text is too short to be of use.

    Notes
    -----
    Files are written only into the folder that the environment variable ``SWITCHCOST_FIGURES`` names, so running a
    page by hand changes no file. A fixed salt and no date: the same figure gives the same file. The picture is shown
    as PNG and as HTML, since exporters of notebooks drop the alternative text of the former.
    """
    import matplotlib.pyplot as plt
    from IPython.display import display

    if not re.fullmatch(r"\d\d_[a-z0-9_]+", name):
        raise DataError(f"figure name {name!r} must look like '09_slopes': notebook number, then what it shows")
    alt = " ".join(alt.split())
    if len(alt.split()) < 10:
        raise DataError(f"alternative text of {name} has {len(alt.split())} words; say what the figure shows")
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    if os.environ.get(KEEP_IN):
        folder = Path(os.environ[KEEP_IN])
        folder.mkdir(parents=True, exist_ok=True)
        drawing = io.BytesIO()
        with plt.rc_context({"svg.hashsalt": name}):
            fig.savefig(drawing, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
        for kind, content in (("png", buffer), ("svg", drawing)):  # whole or not at all, also when the run is stopped
            atomic_write(folder / f"{name}.{kind}", content.getvalue())
    plt.close(fig)
    png = b64encode(buffer.getvalue()).decode()
    shown = f'<img src="data:image/png;base64,{png}" alt="{html.escape(alt)}" style="max-width:100%">'
    metadata = {"image/png": {"alt": alt}}
    display({"image/png": png, "text/html": shown, "text/plain": alt}, raw=True, metadata=metadata)
