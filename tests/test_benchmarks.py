"""The committed benchmark tables of structural models meet the targets, and the README quotes them as they are."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
from packaging.requirements import Requirement
from packaging.version import Version

HERE = Path(__file__).parent.parent / "benchmarks"
README = (HERE / "README.md").read_text(encoding="utf8")
PEERS = pd.read_csv(HERE / "speed_peers.csv")
COVERAGE = pd.read_csv(HERE / "coverage.csv")


def test_refits_are_fast_and_converge():
    refits = PEERS[PEERS["task"] == "1000 refits"].set_index("package")
    assert refits.loc["switchcost", "converged_share"] >= 0.99
    assert refits.loc["semopy", "times_ours"] >= 30
    assert refits.filter(like="lavaan", axis=0)["times_ours"].min() >= 20
    single = PEERS[PEERS["task"] == "single fit"].set_index("package")
    assert single.filter(like="lavaan", axis=0)["times_ours"].min() >= 4
    cost = pd.read_csv(HERE / "speed_cost.csv")
    assert (cost["converged_share"] >= 0.99).all()
    assert set(cost["against"]) == {"items", "factors (of 30 items)", "resamples"}


def test_a_moderation_costs_at_most_twice_what_statsmodels_does():
    field = pd.read_csv(HERE / "speed_field.csv").set_index(["task", "package"])["times_ours"]
    assert field["moderation with its table", "statsmodels"] >= 0.5
    assert field["PLS bootstrap, 200 draws", "seminr"] >= 20
    assert field["four factors, ML, oblimin"].min() >= 0.8  # level with psych where both make one start


def test_growth_and_cluster_keep_their_promise_and_are_quoted():
    growth = pd.read_csv(HERE / "speed_growth.csv")
    assert set(growth["axis"]) == {"items", "groups", "patterns of gaps", "rows", "resamples"}
    last = growth.groupby(["axis", "task"], sort=False).last().reset_index()
    for axis, task, size, seconds, mb, power in last.itertuples(index=False):
        assert f"| {axis} | {task} | {size:,} | {seconds:.3g} | {mb:.0f} | {power:.1f} |" in README, (axis, task)
    drawn = last[(last["axis"] == "rows") & last["task"].str.contains("resamples")]
    assert len(drawn) == 5 and (drawn["size"] == 1_000_000).all() and (drawn["extra_mb"] < 300).all()
    by = growth.set_index(["task", "size"])["cpu_seconds"]
    assert by["ladder of invariance, MLR with gaps", 60] < 10 and by["ladder of invariance, MLR with gaps", 40] < 3
    assert by["modification indices", 100] < 1 and by["modification indices", 60] < 0.15
    assert by["configural model, 15 items", 20] < 1 and by["ladder of invariance, 15 items", 20] < 4
    cluster = pd.read_csv(HERE / "speed_cluster.csv").set_index("run")
    assert cluster["same_draws"].all() and (cluster["refits"] == 10_000).all()
    assert (cluster.loc[["n_jobs=2", "Dask, 2 workers"], "times_cpu"] >= 1.7).all()
    for x in cluster.reset_index().itertuples():
        times = "" if x.times_cpu != x.times_cpu else f"{x.times_cpu:.2f}"
        line = f"| {x.run} | {x.seconds:.1f} | {x.cpu_here:.1f} | {x.cpu_workers:.1f} | {x.cpu_busiest:.1f} | {times} |"
        assert line in README, line


def test_the_versions_tried_are_those_that_are_declared():
    table = pd.read_csv(HERE / "versions.csv", dtype=str, keep_default_na=False)
    pairs = {(python, f"{end} allowed") for python in ("3.11", "3.12", "3.13") for end in ("oldest", "newest")}
    assert pairs <= set(zip(table["python"], table["versions"], strict=True))
    assert table["outcome"].str.fullmatch(r"\d+ passed").all(), table.to_string()
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf8"))["project"]
    lines = project["dependencies"] + [line for extra in project["optional-dependencies"].values() for line in extra]
    declared = {r.name: r.specifier for r in map(Requirement, lines)}
    shown = [c for c in table if c in declared]
    assert {"numpy", "pandas", "scipy", "seaborn"} <= set(shown)
    for row in table.to_dict("records"):
        for name in shown:
            lowest = [Version(s.version) for s in declared[name] if s.operator == ">="]
            assert row[name] in declared[name], (row["python"], name)
            assert row["versions"] != "oldest allowed" or Version(row[name]) == lowest[0], (row["python"], name)
    newest = table[table["versions"] == "newest allowed"]
    assert newest["pandas"].str.startswith("3.").all() and newest["held back"].ne("").all()


def test_no_test_depends_on_the_order():
    table = pd.read_csv(HERE / "random_order.csv", keep_default_na=False)
    assert table["seed"].nunique() >= 2 and table["outcome"].str.fullmatch(r"\d+ passed").all()
    assert table["of these pass alone"].eq("").all(), table.to_string()


def test_intervals_keep_their_promise():
    promised = COVERAGE[COVERAGE["method"].isin(["MLR", "FIML"]) | (COVERAGE["condition"] == "normal")]
    assert (promised["converged"] == promised["samples"]).all() and (promised["samples"] >= 500).all()
    by = promised.groupby(["condition", "method", "n"])["coverage"]
    assert by.mean().between(0.93, 0.97).all()
    assert promised["coverage"].between(0.92, 0.98).all()
    assert by.apply(lambda c: c.between(0.93, 0.97).mean()).min() >= 0.95
    # what the contrasts are there to show
    assert COVERAGE.query("condition == 'skewed' and method == 'ML'")["coverage"].max() < 0.93
    assert COVERAGE.query("method == 'listwise'")["coverage"].min() < 0.5


def test_readme_quotes_the_tables():
    for r in PEERS.itertuples():
        share = "" if r.converged_share != r.converged_share else f"{100 * r.converged_share:.0f} %"
        line = f"| {r.task} | {r.package} | {r.cpu_seconds:.3g} | {r.measured_on:.0f} | {share} | {r.times_ours:.1f} |"
        assert line in README, line
    for r in pd.read_csv(HERE / "speed_field.csv", keep_default_na=False).itertuples():
        line = f"| {r.task} | {r.package} | {r.cpu_seconds:.3g} | {r.times_ours:.2f} | {r.what} |"
        assert line in README, line
    for (data, method, n), g in COVERAGE.groupby(["condition", "method", "n"], sort=False):
        c = g["coverage"]
        line = f"| {data} | {method} | {n} | {len(g)} | {c.mean():.3f} | {c.min():.3f} | {c.max():.3f} |"
        assert line in README, line


def test_ordered_items_are_fast_and_keep_their_promise():
    speed = pd.read_csv(HERE / "ordinal_speed.csv").set_index(["task", "package"])
    assert speed.loc[("single fit", "lavaan, cfa() alone"), "times_ours"] >= 20
    assert speed.loc[("1000 refits", "semfit"), "cpu_seconds"] < 20
    assert speed.loc[("1000 refits", "semfit"), "converged_share"] >= 0.99
    assert speed.loc[("polychoric, 60 items", "semfit"), "cpu_seconds"] < 5
    table = pd.read_csv(HERE / "ordinal_coverage.csv")
    ours = table[table["method"] == "WLSMV"]
    assert ours["coverage_loadings"].between(0.92, 0.97).all() and (ours["bias_loadings"].abs() < 0.01).all()
    assert ours["rejected_scaled"].mean() < 0.08
    skewed = table.query("answers == 'skewed' and n == 800").set_index("method")
    assert skewed.loc["MLR", "coverage_loadings"] < 0.7  # what taking five points for continuous costs
    for r in table.itertuples():
        scaled = "" if r.rejected_scaled != r.rejected_scaled else f"{r.rejected_scaled:.3f}"
        line = (
            f"| {r.answers} | {r.n} | {r.method} | {r.coverage_loadings:.3f} | {r.coverage_lowest:.3f} | "
            f"{r.coverage_correlation:.3f} | {r.bias_loadings:.3f} | {r.rejected:.3f} | {scaled} |"
        )
        assert line in README, line


def test_short_intervals_of_ordered_items_are_the_methods():
    table = pd.read_csv(HERE / "ordinal_intervals.csv").set_index("interval")
    assert table.loc["lavaan", "widest_gap"] < 1e-5 and table.loc["lavaan", "samples"] >= 200
    own = table.loc["semfit"].drop("widest_gap")
    assert own.equals(table.loc["lavaan"].drop("widest_gap")) and own["coverage_correlation"] < 0.93
    assert table.loc["Fisher's z", "coverage_loadings"] > own["coverage_loadings"] + 0.01
    few = table.loc["semfit, resampled ones", "coverage_correlation"]
    assert table.loc["percentile", "coverage_correlation"] > few + 0.03
    for r in table.reset_index().itertuples():
        ratios = ["" if v != v else f"{v:.3f}" for v in (r.se_of_loadings, r.se_of_correlation)]
        shares = [f"{v:.3f}" for v in (r.coverage_loadings, r.coverage_lowest, r.coverage_correlation)]
        line = f"| {' | '.join([r.interval, str(r.samples), *shares, *ratios])} |"
        assert line in README, line


def test_clusters_of_ordered_items_keep_their_promise():
    table = pd.read_csv(HERE / "ordinal_clusters.csv")
    with_, without = (table[table["cluster"] == word] for word in ("yes", "no"))
    assert (table["samples"] >= 500).all() and with_["rejected_scaled"].between(0.03, 0.07).all()
    assert with_.filter(like="coverage_").ge(0.91).all(axis=None)
    assert with_.query("clusters >= 60")[["coverage_thresholds", "coverage_loadings"]].ge(0.935).all(axis=None)
    assert (without["coverage_thresholds"] < 0.85).all() and (without["rejected_scaled"] > 0.1).all()
    for r in table.itertuples():
        shares = (r.coverage_thresholds, r.coverage_loadings, r.coverage_lowest, r.coverage_correlation)
        shown = " | ".join(f"{v:.3f}" for v in (*shares, r.rejected_scaled))
        line = f"| {r.clusters} | {r.n} | {r.cluster} | {shown} |"
        assert line in README, line


def test_readme_quotes_ordinal_speed_and_the_random_models():
    for r in pd.read_csv(HERE / "ordinal_speed.csv").itertuples():
        line = f"| {r.task} | {r.package} | {r.cpu_seconds:.3g} | {r.measured_on} | {r.times_ours:.1f} |"
        assert line in README, line
    models = pd.read_csv(HERE / "modification_indices.csv")
    text = " ".join(README.split())
    assert f"({len(models)} random models" in text and f"{models['candidates'].sum():,} printed indices" in text
    assert f"by at most {models['largest_error'].max():.1e}".replace("e-05", "e-5") in text
    assert f"the median deviation is {models['median_off_refit'].median():.0%}".replace("%", " %") in text
    assert models["largest_error"].max() < 1e-4
