"""Errors and warnings of the estimator. Only these are ever caught and put into words; anything else is a bug."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class SemError(ValueError):
    """What a user can mend: every error that the estimator raises on purpose is one of these."""

    def __init__(self, *args: object):  # a value shown in a message may have lines of its own; the message has one
        super().__init__(*(" ".join(a.split()) if isinstance(a, str) and "\n" in a else a for a in args))


class DataError(SemError):
    """The data, a matrix or an argument cannot be used as handed in."""


class ModelSyntaxError(SemError):
    """The model text cannot be read.

    Attributes
    ----------
    line, column : int or None
        Where in the text, counted from 1; None where no single place is to blame.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None):
        super().__init__(message if line is None else f"model line {line}, column {column}: {message}")
        self.line, self.column = line, column


class NotIdentifiedError(SemError):
    """The data, however many, could not determine the parameters of the model."""


class NotConvergedError(SemError):
    """The search did not end at a minimum, so what was asked for has no meaning."""


class FitWarning(str):
    """A sentence about a fit that one can print, and a class that code can ask for.

    ``fit.warnings`` holds these; nothing is decided by reading the sentences.
    """


class DroppedRows(FitWarning):
    """Rows that were left out.

    Attributes
    ----------
    n : int
        How many.
    why : str
        ``"missing value"``, ``"no value"``, ``"missing predictor"`` or ``"no group"``.
    """

    n: int
    why: str

    def __new__(cls, text: str, n: int = 0, why: str = "") -> DroppedRows:
        self = super().__new__(cls, text)
        self.n, self.why = n, why
        return self


class FewClusters(FitWarning):
    """Clusters are too few for standard errors that rest on differences between them.

    Attributes
    ----------
    n : int
        How many.
    """

    n: int

    def __new__(cls, text: str, n: int = 0) -> FewClusters:
        self = super().__new__(cls, text)
        self.n = n
        return self


class NotConverged(FitWarning):
    """The search did not end at a minimum: no standard errors, no measures, no diagnostics."""


class SearchTrouble(FitWarning):
    """The first search failed and another one ended at a minimum."""


class ImproperSolution(FitWarning):
    """A solution that no population can have; nothing is repaired.

    Attributes
    ----------
    what : str
        ``"negative variance"``, ``"latent correlation"``, ``"latents"`` or ``"residuals"`` (a covariance matrix that
        is not positive definite).
    variables : tuple of str
    value : float
        The estimate, NaN for matrices.
    group : str
        Empty without groups.
    """

    what: str
    variables: tuple[str, ...]
    value: float
    group: str

    def __new__(
        cls,
        text: str,
        what: str = "",
        variables: tuple[str, ...] = (),
        value: float = float("nan"),
        group: str = "",
    ) -> ImproperSolution:
        self = super().__new__(cls, text)
        self.what, self.variables, self.value, self.group = what, variables, value, group
        return self


class SingularInformation(FitWarning):
    """The data hardly determine some parameters at the solution.

    Attributes
    ----------
    parameters : tuple of str
    """

    parameters: tuple[str, ...]

    def __new__(cls, text: str, parameters: tuple[str, ...] = ()) -> SingularInformation:
        self = super().__new__(cls, text)
        self.parameters = parameters
        return self


class UndefinedValue(FitWarning):
    """Values that do not exist at the solution and are NaN.

    Attributes
    ----------
    column : str
        ``"est"`` or ``"std_all"``.
    parameters : tuple of str
    """

    column: str
    parameters: tuple[str, ...]

    def __new__(cls, text: str, column: str = "", parameters: tuple[str, ...] = ()) -> UndefinedValue:
        self = super().__new__(cls, text)
        self.column, self.parameters = column, parameters
        return self


class UnusedItems(FitWarning):
    """Items of a latent interaction that enter no product indicator.

    Attributes
    ----------
    items : tuple of str
    """

    items: tuple[str, ...]

    def __new__(cls, text: str, items: tuple[str, ...] = ()) -> UnusedItems:
        self = super().__new__(cls, text)
        self.items = items
        return self


class TwoCategories(FitWarning):
    """Dependent variables with two answers, fitted as continuous.

    Attributes
    ----------
    variables : tuple of str
    """

    variables: tuple[str, ...]

    def __new__(cls, text: str, variables: tuple[str, ...] = ()) -> TwoCategories:
        self = super().__new__(cls, text)
        self.variables = variables
        return self


class CategoryTrouble(FitWarning):
    """Something about ordered answers that a reader should know.

    Attributes
    ----------
    what : str
        ``"many"`` categories, an ``"empty"`` one, ``"alphabetical"`` order, an empty ``"cell"`` of a two-by-two table,
        or a ``"perfect"`` pair.
    variables : tuple of str
    """

    what: str
    variables: tuple[str, ...]

    def __new__(cls, text: str, what: str = "", variables: tuple[str, ...] = ()) -> CategoryTrouble:
        self = super().__new__(cls, text)
        self.what, self.variables = what, variables
        return self


@contextmanager
def extra(group: str) -> Iterator[None]:
    """``with extra("plots"): import seaborn``: where the package is not there, one sentence says what to install.

    Raises
    ------
    DataError
        Names the package and the extra of the installation that brings it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").split(".")[0]
        name = {"docx": "python-docx"}.get(name, name)
        raise DataError(
            f"this needs the package {name}, which is not installed: pip install 'switchcost[{group}]'"
        ) from None
