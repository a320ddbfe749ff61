"""What a study asks for, checked against its codebook and its data before anything is computed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pandas as pd

from switchcost.core import checks
from switchcost.core.errors import DataError

from . import study
from .names import Names, one_word
from .screening.cells import NOT_ITEMS
from .study import Hypothesis

KEYS = (
    "outcome", "predictors", "moderator", "covariates", "group", "exclude", "hypotheses", "method", "efa", "nca", "marker", "simulated",
)  # fmt: skip
METHODS = ("sem", "pls")
SPELT = re.compile(r"[^\W\d]\w*")  # names that the model language can spell


@dataclass(frozen=True)
class Product:
    """One moderation: w changes what x does to y."""

    x: str
    w: str
    y: str
    hypothesis: str | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """Data, codebook and roles.

    Attributes
    ----------
    raw : DataFrame
        Answers as given, items under names that a model can spell.
    book : DataFrame
        The codebook, its variables named as in ``raw``.
    spelt : dict
        Name in ``raw`` -> name in the file, where they differ.
    called : dict
        The same -> the name that is printed: the codebook's short one, where it has one.
    scales : dict of str to list of str
        Construct -> its items, for constructs of several items that have a role.
    columns : tuple of str
        Roles that are single columns.
    nominal : tuple of str
        Columns that hold groups.
    """

    raw: pd.DataFrame
    book: pd.DataFrame
    outcome: str
    predictors: tuple[str, ...]
    moderators: tuple[str, ...]
    covariates: tuple[str, ...]
    group: str | None
    exclude: tuple[str, ...]
    hypotheses: tuple[Hypothesis, ...]
    method: str
    efa: bool
    marker: str | None
    simulated: bool
    seed: int
    n_boot: int
    least: float
    nca: bool = False
    scales: dict[str, list[str]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    nominal: tuple[str, ...] = ()
    spelt: dict[str, str] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)

    @property
    def items(self) -> list[str]:
        return [i for items in self.scales.values() for i in items]

    @property
    def named(self) -> list[str]:
        """Every role once: outcome, predictors, moderators, covariates, then what only the hypotheses name."""
        own = [self.outcome, *self.predictors, *self.moderators, *self.covariates]
        return list(dict.fromkeys([*own, *(n for h in self.hypotheses for n in h.names)]))

    @property
    def measurement(self) -> str:
        """The measurement model in lavaan's syntax."""
        return "\n".join(f"{s} =~ {' + '.join(items)}" for s, items in self.scales.items())

    @property
    def products(self) -> list[Product]:
        """Moderations in the order of the hypotheses, or those of the roles."""
        claimed = [
            Product(h.names[0], h.names[1], h.names[2], h.name) for h in self.hypotheses if h.kind == "moderation"
        ]
        held = {(p.x, p.w, p.y) for p in claimed}
        own = [Product(self.predictors[0], m, self.outcome) for m in self.moderators]
        return claimed + [p for p in own if (p.x, p.w, p.y) not in held]

    @property
    def paths(self) -> dict[str, list[str]]:
        """Outcome -> its predictors in the structural model, controls apart."""
        return study.paths(self.hypotheses) or {self.outcome: [*self.predictors, *self.moderators]}

    def in_own_names(self, text: str, names: Mapping[str, str] | None = None) -> str:
        """A sentence with columns and constructs as the files spell them, or by other ``names``."""
        spelt = self.spelt if names is None else names

        def own(found: re.Match[str]) -> str:
            word = found[0]
            for column in spelt.keys() & {*self.nominal} if word not in spelt else ():
                if word.startswith(dummy(column, "")):
                    return f"{spelt[column]}: {word.removeprefix(dummy(column, ''))}"
            return spelt.get(word, word)

        return re.sub(r"\w+", own, text) if spelt else text

    def printed(self, text: str) -> str:
        """A sentence with the names that the chapter prints: the short ones of the codebook, where it has them."""
        return self.in_own_names(text, self.called)

    def others(self, product: Product) -> list[str]:
        """What is held constant beside a product: the outcome's other causes and the controls."""
        causes = self.paths.get(product.y, []) if product.hypothesis else [*self.predictors, *self.moderators]
        return [n for n in dict.fromkeys([*causes, *self.covariates]) if n not in (product.x, product.w, product.y)]


def make(raw: pd.DataFrame, book: pd.DataFrame, model: Mapping, *, seed: int, n_boot: int, least: float) -> Plan:
    """Read the settings, find every name, and give items names that a model can spell.

    Raises
    ------
    DataError
        A key or a name is unknown, a name has two roles, the codebook lists what the data have not.
    """
    checks.columns(raw, list(book["variable"]), what="codebook variable")
    plan = _placed(_spelt(_read(model, raw, book, seed, n_boot, least)))
    with own_names(plan):
        if plan.group is not None and not 2 <= plan.raw[plan.group].nunique() <= 8:
            raise DataError(
                f"group {plan.group!r} has {plan.raw[plan.group].nunique()} different values; it needs 2 to 8"
            )
        free = {*plan.covariates, *plan.nominal, *plan.moderators, *(p.w for p in plan.products)}
        for name in plan.columns:  # a word among numbers makes no groups of them
            if name not in free or pd.to_numeric(plan.raw[name], errors="coerce").notna().mean() > 0.5:
                checks.numeric(plan.raw, [name], codes="allow", constant="error" if name not in free else "allow")
    return plan


@contextmanager
def own_names(plan: Plan) -> Iterator[None]:
    """What is raised inside names columns and constructs as the files do."""
    try:
        yield
    except DataError as problem:
        raise DataError(plan.in_own_names(str(problem))) from None


def _read(model: Mapping, raw: pd.DataFrame, book: pd.DataFrame, seed: int, n_boot: int, least: float) -> Plan:
    if not isinstance(model, Mapping):
        raise DataError("model must be a dict such as {'outcome': 'loyalty', 'predictors': ['satisfaction'], 'moderator': 'costs'}")  # fmt: skip
    for key in model:
        if key not in KEYS:
            raise DataError(f"model has the key {key!r}, which means nothing here.{checks.suggest(str(key), KEYS)}")
    listed = {k: _listed(model.get(k)) for k in ("predictors", "moderator", "covariates", "exclude", "hypotheses")}
    for key in ("outcome", "group", "marker"):
        if not isinstance(model.get(key), (str, type(None))):
            raise DataError(f"model: {key!r} takes one name, and got {model[key]!r}; several belong into 'hypotheses'")
    method = model.get("method") or "sem"
    if method not in METHODS:
        raise DataError(f"model: 'method' is {method!r}; it can be {' or '.join(map(repr, METHODS))}")
    known = Names.of(book, raw.columns)
    if model.get("nca") and method != "pls":
        raise DataError("model: 'nca' asks for necessary conditions of a PLS model; set 'method' to 'pls'")
    claims = tuple(study.hypotheses([str(h) for h in listed["hypotheses"]], known))
    roles = {k: [known.find(n, k) for n in listed[k]] for k in ("predictors", "moderator", "covariates")}
    single = {k: known.find(model[k], k, k == "group") for k in ("outcome", "marker", "group") if model.get(k)}
    outcome, predictors, moderators = single.get("outcome"), roles["predictors"], roles["moderator"]
    if claims and not outcome:
        outcome, predictors, moderators = _roles(claims, roles["covariates"])
    if not outcome or not predictors:
        raise DataError("model needs an 'outcome' and at least one of 'predictors'")
    names = [outcome, *predictors, *moderators, *roles["covariates"]]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise DataError(f"{', '.join(map(repr, twice))} has two roles in the model; each name may have one")
    return Plan(
        raw, book, outcome, tuple(predictors), tuple(moderators), tuple(roles["covariates"]), single.get("group"),
        tuple(listed["exclude"]), claims, method, bool(model.get("efa", False)), single.get("marker"),
        bool(model.get("simulated", raw.attrs.get("simulated", False))), seed, n_boot, least, bool(model.get("nca", False)),
    )  # fmt: skip


def _listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])  # type: ignore[call-overload]


def _roles(claims: Sequence[Hypothesis], covariates: Sequence[str]) -> tuple[str, list[str], list[str]]:
    """Roles from the hypotheses: the outcome of the first moderation, or of the last claim, and what leads to it."""
    product = next((h for h in claims if h.kind == "moderation"), None)
    outcome = (product or claims[-1]).names[-1]
    moderators = list(dict.fromkeys(h.names[1] for h in claims if h.kind == "moderation" and h.names[-1] == outcome))
    causes = study.paths(claims)[outcome]
    first = [product.names[0], *causes] if product else causes
    predictors = [c for c in dict.fromkeys(first) if c not in moderators and c not in covariates]
    return outcome, predictors, [m for m in moderators if m not in covariates]


def dummy(column: str, value: object) -> str:
    """Name of the 0/1 column that stands for one group of a column."""
    return re.sub(r"\W+", "_", f"{column}_{value}")


def short_names(book: pd.DataFrame) -> dict[str, str]:
    """Variable -> its name in the codebook's column ``short``, without those that only number a kind of columns."""
    if "short" not in book.columns:
        return {}
    short = book["short"].astype(str).str.strip()
    guessed = short.str.extract(r"^scale\d+_(\d+)$")[0]  # the scale got a name since, and its items follow
    renamed = guessed.notna() & ~book["construct"].astype(str).str.fullmatch(r"scale\d+")
    short = short.where(~renamed, book["construct"].map(one_word) + "_" + guessed.fillna(""))
    own = ~short.isin(["", "nan"]) & ~short.str.fullmatch(r"(group|background|platform|text|id|attention)_\d+")
    return dict(zip(book["variable"][own], short[own], strict=True))


def _spelt(plan: Plan) -> Plan:
    """Constructs, items and roles under names that a model can spell; what is printed are their short or own names."""
    held = plan.book[~plan.book["construct"].str.lower().isin({*NOT_ITEMS, ""})]
    constructs, taken = list(held["construct"].unique()), {*plan.raw.columns, *plan.book["construct"]}
    roles = [*plan.named, *filter(None, [plan.group, plan.marker])]
    columns = dict.fromkeys([*held["variable"], *(r for r in roles if r in plan.raw.columns)])

    def fresh(word: str) -> str:
        word = word if SPELT.fullmatch(word) else f"scale_{word}"
        while word in taken:
            word += "_"
        taken.add(word)
        return word

    words = {c: fresh(one_word(c)) for c in constructs if not SPELT.fullmatch(c)}
    called = short_names(plan.book)
    odd = [c for c in columns if not SPELT.fullmatch(c) or c in {*held["variable"]} and called.get(c, c) != c]
    new = {c: fresh(one_word(called.get(c, "")) or f"item_{k}") for k, c in enumerate(odd, start=1)}
    if not words and not new:
        return plan

    def role(name: str) -> str:
        return words.get(name, name) if name in constructs else new.get(name, name)

    raw = plan.raw.rename(columns=new)
    raw.attrs = dict(plan.raw.attrs)
    for key in ("labels", "value_labels"):
        raw.attrs[key] = {new.get(k, k): v for k, v in plan.raw.attrs.get(key, {}).items()}
    book = plan.book.assign(
        variable=plan.book["variable"].replace(new), construct=plan.book["construct"].replace(words)
    )
    return replace(
        plan, raw=raw, book=book, outcome=role(plan.outcome), group=new.get(plan.group, plan.group) if plan.group else None,
        predictors=tuple(map(role, plan.predictors)), moderators=tuple(map(role, plan.moderators)),
        covariates=tuple(map(role, plan.covariates)), marker=role(plan.marker) if plan.marker else None,
        hypotheses=tuple(replace(h, names=tuple(map(role, h.names))) for h in plan.hypotheses),
        spelt={safe: name for name, safe in {**new, **words}.items()},
        called={safe: called.get(name, name) for name, safe in {**new, **words}.items()},
    )  # fmt: skip


def _placed(plan: Plan) -> Plan:
    """Which roles are scales and which are columns."""
    book, raw = plan.book, plan.raw
    held = book[~book["construct"].str.lower().isin({*NOT_ITEMS, ""})]
    constructs = {name: part["variable"].tolist() for name, part in held.groupby("construct", sort=False)}
    scales: dict[str, list[str]] = {}
    columns: list[str] = []
    for name in [*plan.named, *filter(None, [plan.marker])]:
        if len(constructs.get(name, [])) > 1:
            scales[name] = constructs[name]
        elif name in raw.columns:
            columns.append(name)
        else:  # one item: the column takes the name of its construct
            raw = raw.rename(columns={constructs[name][0]: name})
            book = book.assign(variable=book["variable"].replace({constructs[name][0]: name}))
            columns.append(name)
    if not scales:
        raise DataError("no role of the model is a scale; fill in the codebook's column 'construct' for the items")
    declared = set(book.loc[book["construct"].str.strip().str.casefold().isin({"group", "nominal"}), "variable"])
    words = {c for c in columns if not pd.api.types.is_numeric_dtype(raw[c])}
    nominal = tuple(c for c in columns if c in declared | words)
    return replace(plan, raw=raw, book=book, scales=scales, columns=tuple(columns), nominal=nominal)
