"""The chapter in English: one template a sentence. What stands after a colon is how the number is written (wording.py)."""

WORDS: dict[str, str] = {
    # -- grammar --------------------------------------------------------------------------------------------------
    "space": " ", "comma": ", ", "semicolon": "; ", "and": " and ", "none": "none", "colon": ": ", "note": "Note.", "label.table": "Table {number}",
    "label.figure": "Figure {number}", "label.stop": ". ", "positive": "positively", "negative": "negatively",
    "title": "Results", "title.alarms": "Read this first: {n:point|points} to settle", "intercept": "Intercept",
    "step.metric": "equal loadings", "step.scalar": "equal intercepts", "step.strict": "equal residual variances",
    "level.configural": "configural", "level.metric": "equal loadings (metric)", "level.scalar": "equal intercepts (scalar)",
    "level.strict": "equal residual variances (strict)", "model.cfa": "measurement model", "model.sem": "structural model",
    "model.regression": "The regression", "model.latent": "latent interaction",
    "settle.title": "To settle before you hand in", "settle.nothing": "Nothing was found.",
    "notebook.title": "The analysis, repeated step by step",
    "notebook.about": "Each step of the chapter with the packages of the field, in code that can be retyped. The answers are those of "
    "the respondents analysed (`{file}`), as they were given.",
    "notebook.structure": "semopy uses complete rows and plain maximum likelihood; the chapter uses every answer and robust errors, so "
    "estimates differ a little where answers are missing.",
    "notebook.pls": "`assess_cvpat` fills gaps and forms products before the folds are cut, and takes the items' means (IA) from all rows; the "
    "chapter keeps a fold's rows out of all that predicts them. Its losses therefore differ a little where there are gaps or products.",
    "notebook.moderation": "Coefficients are those of the chapter; pingouin gives classical standard errors (see the row of that name "
    "under Robustness).",
    "notebook.checks": "The chapter's numbers beside these", "notebook.failed": "- The notebook was not written: {reason}.",
    # -- headings -------------------------------------------------------------------------------------------------
    "heading.method": "Method of analysis", "heading.participants": "Participants and exclusions",
    "heading.quality": "Data quality", "heading.missing": "Missing answers",
    "heading.descriptives": "Descriptive statistics and correlations", "heading.reliability": "Reliability",
    "heading.exploration": "Exploratory factor analysis", "heading.factors": "Confirmatory factor analysis",
    "heading.validity": "Convergent and discriminant validity", "heading.bias": "Common method bias",
    "heading.groups": "Measurement invariance across {group:name}", "heading.structure": "Structural model",
    "heading.pls": "Partial least squares path model", "heading.indirect": "Mediation",
    "heading.moderation": "Moderation: {x:name} × {w:name}", "heading.robustness": "Robustness: {x:name} × {w:name}",
    "heading.hypotheses": "Hypotheses", "heading.limitations": "Limitations", "heading.software": "Software and reproducibility",
    "heading.references": "References for the methods", "heading.checklist": "Checklist",
    # -- what could not run ---------------------------------------------------------------------------------------
    "failed": "This part could not be computed: {reason}.", "failed.alarm": "{heading} could not be computed: {reason}.",
    "failed.where": "could not be computed", "model.warning.alarm": "{model}: {warning}.",
    "no_font.alarm": "This machine has no font with Chinese characters, so labels in the figures are boxes. Install one (for "
    "example Noto Sans CJK) and write the chapter again.",
    # -- method ---------------------------------------------------------------------------------------------------
    "simulated": "The data are simulated: no customer stands behind a row, and nothing here is evidence about customers.",
    "method.scores": "Scale scores are the mean of the answered items, for respondents who answered at least {least:pct} of a scale.",
    "method.scores.all": "Scale scores are the mean of the items, for respondents who answered all items of a scale.",
    "method.reliability": "Reliability is coefficient omega of a one-factor model (McDonald, 1999), with an interval from "
    "{n_boot:d} bootstrap samples, beside alpha with Feldt's (1965) interval.",
    "method.efa": "The number of factors was judged by parallel analysis (Horn, 1965) and the minimum average partial; factors "
    "were extracted by maximum likelihood and rotated by oblimin.",
    "method.cfa": "The measurement model was fitted by robust maximum likelihood (Yuan & Bentler, 2000).",
    "method.cfa.fiml": "The measurement model was fitted by robust maximum likelihood with full information, so that every answer "
    "given is used (Yuan & Bentler, 2000).",
    "method.validity": "Validity was judged by the average variance extracted (Fornell & Larcker, 1981) and by the "
    "heterotrait-monotrait ratio with percentile intervals from {n_boot:d} bootstrap samples (Henseler et al., 2015).",
    "method.bias": "Common method bias was examined with a one-factor model and an unmeasured method factor (Podsakoff et al., 2003).",
    "method.groups": "Measurement across groups was compared by a ladder of equal loadings, intercepts and residual variances; a step "
    "was rejected where CFI fell by more than .010 (Chen, 2007).",
    "method.structure": "The hypotheses on paths were tested in one structural model, by the same estimator.",
    "method.indirect": "Indirect effects were tested by the percentile bootstrap with {n_boot:d} samples (Hayes, 2015).",
    "method.moderated": "Moderation was tested by regression with the product of mean-centred variables and HC3 standard errors "
    "(Aiken & West, 1991; MacKinnon & White, 1985), and probed by {probed}.",
    "probed": "simple slopes", "probed.jn": "simple slopes and the Johnson-Neyman technique",
    "method.pls": "The paths were estimated by partial least squares (Hair et al., 2021) with percentile intervals from {n_boot:d} "
    "bootstrap samples.",
    "method.prediction": "Out-of-sample prediction was judged by PLSpredict (Shmueli et al., 2019) and CVPAT (Sharma et al., 2023).",
    "method.level": "Tests are two-sided at .05, and intervals are 95% intervals. Conventional limits (omega .70, loadings .50, CFI "
    ".90, RMSEA .08, SRMR .10, AVE .50, HTMT .85) are conventions, not laws.",
    # -- sample ---------------------------------------------------------------------------------------------------
    "sample.file": "The file held {n:row|rows}.", "sample.platform": "Before any analysis, {steps:list} left.",
    "sample.step": "{n:d} ({what})", "sample.rule": "{n:row|rows} flagged as {what}",
    "sample.rules": "By the exclusion rule, {steps:list} were excluded; this left n = {n:d}.",
    "sample.none": "No row was excluded (n = {n:d}).",
    "sample.flagged": "The checks flagged {n:further row|further rows} as repeated or carelessly answered, which stay in; the main "
    "result without them stands under Robustness.",
    "sample.figure": "{figure} shows the flow.",
    "sample.mean": "M = {mean:b1}, SD = {sd:b1}, {low:g} to {high:g}", "flow.n": "{what} n = {n:d}", "flow.left": "{what}: {n:d} excluded",
    "flow.records in the file": "records in the file", "flow.previews": "previews", "flow.unfinished": "unfinished",
    "flow.duplicated": "duplicated", "flow.near duplicates": "near duplicates", "flow.careless": "careless",
    "flow.unusual profile": "unusual profile", "flow.failed": "failed the attention item {item}",
    "flow.fast": "answered in less than {seconds} seconds", "flow.filter": "not selected: {rule}",
    "people.none": "The file says nothing about who the respondents are, so nobody can judge whom the results are about.",
    "table.people": "Participants", "note.people": "Missing answers are left out of each line.",
    "figure.flow": "From the records in the file to the respondents analysed.",
    "alt.flow": "Flow chart that begins with {n:d} records in the file; steps: {steps:list}.",
    "quality.checks": "Before any model the raw answers were checked for answers out of range, undeclared missing codes, columns that "
    "are functions of others, repeated rows and careless answering (Meade & Craig, 2012).",
    "quality.counts": "There were {serious:serious finding|serious findings} and {warnings:warning|warnings} ({table}).",
    "quality.nothing": "Nothing was found.", "severity.serious": "serious", "severity.warning": "warning", "severity.note": "note",
    "table.audit": "Findings of the checks of the raw answers", "note.audit": "Rows: how many are concerned.",
    "audit.turned": "declared reverse and stored as answered; turned round before the analysis",
    "audit.serious.alarm": "Serious finding in the data, {check}: {detail}.",
    "audit.excluded.alarm": "Serious finding in the data, {check}: {detail}. These rows were excluded by rule.",
    "impossible": "{n:answer|answers} outside the codebook's range ({where:list}) were treated as missing.",
    "impossible.alarm": "{n:answer|answers} outside the codebook's range ({where:list}) were treated as missing. Find out where they "
    "come from.",
    "reversed": "Reverse-worded items were turned round (low + high - answer): {items:items}.",
    "reversed.none": "No item was marked as reverse-worded.", "gaps.none": "No answer to an item was missing.",
    "gaps": "Of the answers to the {n_items:d} items, {share:pct1} were missing (most for {worst}, {worst_share:pct1}); {complete:d} of "
    "{n:d} respondents answered all of them.",
    "gaps.rule": "A scale was scored as the mean of the answered items for respondents who answered at least {least:pct} of them. "
    "Regressions use rows without gaps in the scores; factor and structural models use all answers given.",
    "gaps.rule.all": "A scale was scored only for respondents who answered all its items. Regressions use rows without gaps in the "
    "scores; factor and structural models use all answers given.",
    "gaps.drivers": "Gaps depended on {drivers:names}, so those who answered everything are not a random part of the sample.",
    "gaps.random": "No dependence of gaps on other columns was detected, which does not prove that gaps were random.",
    "complete.no.limit": "Only {value:pct} of the respondents answered all items; analyses of complete rows describe them.",
    "lost.no.alarm": "{what} uses {used:d} of {n:d} respondents ({value:pct} left out for missing values); the others may differ. "
    "Compare them, or lower min_answered.",
    "descriptives": "{table} gives means, standard deviations and correlations.",
    "descriptives.pair": "{x:name} and {y:name} correlated {r:r}, 95% CI [{low:r}, {high:r}].",
    "descriptives.skewed": "Answers to {names:names} were clearly skewed (beyond 1 in absolute value).",
    "table.descriptives": "Means, standard deviations and correlations",
    "note.descriptives": "Scales are means of their items. Pairwise complete; at n = {n:d}, |r| above about {r:r} has p < .05.",
    # -- measurement ----------------------------------------------------------------------------------------------
    "reliability": "Reliability was estimated as coefficient omega of a one-factor model, with alpha beside it ({table}).",
    "reliability.scale": "{scale:name} (omega = {omega:r}, 95% CI [{low:r}, {high:r}])",
    "reliability.high": "At least {limit:r}: {scales:list}.",
    "reliability.low": "Below {limit:r}: {scales:list}; results with these scales are to be read with caution.",
    "table.reliability": "Reliability of the scales",
    "note.reliability": "n: respondents who answered all items of the scale. mean r: mean correlation between items.",
    "omega.no.alarm": "Reliability of {scale:name} is low: omega = {value:r}, 95% CI [{low:r}, {high:r}]. Effects of this scale are "
    "understated, and items should not be dropped until it looks better.",
    "omega.no.limit": "The scale {scale:name} is unreliable (omega = {value:r}): its relations with others are blurred.",
    "omega.none.alarm": "Reliability of {scale:name} could not be estimated.", "scale.note.alarm": "Scale {scale:name}: {note}.",
    "scale.turned.alarm": "Scale {scale:name}: {note}. If the file already holds turned items, set reverse to 0 in the codebook.",
    "kmo.yes": "The items share enough to be factored (KMO = {value:r}).",
    "kmo.no": "The items share little (KMO = {value:r}, below {limit:r}); factors of them are doubtful.",
    "bartlett.yes": "Bartlett's test rejects that the items are unrelated, χ²({df:b0}) = {chisq:b1}, {value:p}.",
    "bartlett.no": "Bartlett's test does not reject that the items are unrelated, χ²({df:b0}) = {chisq:b1}, {value:p}.",
    "exploration.number": "Parallel analysis retains {parallel:component|components} and the minimum average partial {map:d}; "
    "{k:factor was|factors were} extracted, as many as there are scales (n = {n:d} complete rows).",
    "exploration.share": "They explain {share:pct} of the variance ({table}).",
    "cross.yes": "The largest cross-loading is {value:r} ({item}), below {limit:r}.",
    "cross.no": "The largest cross-loading is {value:r} ({item}), not below {limit:r}.",
    "exploration.placed": "Every item loads highest on the factor of its scale.",
    "exploration.misplaced": "Highest on another factor than the rest of their scale: {items:items}.",
    "table.exploration": "Pattern loadings of the exploratory factor analysis",
    "note.exploration": "Maximum likelihood, oblimin. h²: communality.",
    "factors": "A model with {k:factor|factors} and {items:d} items was fitted by robust maximum likelihood (n = {n:d}).",
    "factors.fiml": "A model with {k:factor|factors} and {items:d} items was fitted by robust maximum likelihood with full information "
    "(n = {n:d}).",
    "fit": "χ²({df:b0}) = {chisq:b1}, {pvalue:p}, CFI = {cfi:r3}, TLI = {tli:r3}, RMSEA = {rmsea:r3} (90% CI "
    "[{rmsea_ci_lower:r3}, {rmsea_ci_upper:r3}]), SRMR = {srmr:r3}",
    "fit.none": "no degrees of freedom are left, so its fit cannot be tested", "factors.saturated": "{fit}.",
    "factors.good": "It fits well: {fit}.", "factors.acceptable": "Its fit is acceptable: {fit}.",
    "factors.poor": "It does not fit well: {fit}; the largest standardised residual is that of {item_1} and {item_2} ({z:b1}). The model "
    "was not changed by modification indices.",
    "factors.none.limit": "The confirmatory factor analysis failed, so the structure of the scales is an assumption.",
    "exact.no": "Exact fit is rejected; the indices lie within the limits in common use (Hu & Bentler, 1999).",
    "fit.poor.alarm": "The measurement model fits poorly ({indices:list}). Look at residuals before you read any path.",
    "fit.poor.limit": "The measurement model does not describe the answers well ({indices:list}); results that rest on it are "
    "provisional.",
    "loadings": "Standardised loadings ran from {low:r} ({low_item}) to {high:r} ({high_item}; {table}).",
    "loading.no": "Weak loadings (below {limit:r}): {items:list}.",
    "loading.no.alarm": "Weak loadings (below {limit:r}): {items:list}. They stay in; dropping them after seeing the data would have to "
    "be said.",
    "ordinal": "With the items as ordered categories (WLSMV, complete rows, n = {n:d}) the model fits with χ²({df:b0}) = {chisq:b1}, {pvalue:p}, "
    "CFI = {cfi:r3}, RMSEA = {rmsea:r3}, SRMR = {srmr:r3}; loadings run from {low:r} to {high:r}, no loading changes by more than {change:r} and no "
    "factor correlation by more than {change_r:r}.",
    "respondents.no.alarm": "The factor model estimates {npar:d} parameters from {n:d} respondents; fit and loadings rest on very little.",
    "respondents.no.limit": "The sample (n = {n:d}) is small for a measurement model with {npar:d} parameters.",
    "table.factors": "Loadings of the confirmatory factor analysis, composite reliability and variance extracted",
    "note.factors": "b: unstandardised, first item of each factor fixed at 1; loading: standardised; CR: composite reliability; AVE: "
    "average variance extracted.",
    "ave.yes": "The average variance extracted ran from {low:r} to {high:r}, at least .50 for every scale.",
    "ave.no": "The average variance extracted is below .50 for {scales:list}: error makes up more than half of an average item.",
    "validity.one": "With one scale there is nothing to discriminate.", "validity.one.where": "one scale",
    "larcker.yes": "Every scale shares more variance with its items than with any other scale (Fornell & Larcker, 1981).",
    "larcker.no": "No more variance with their own items than with another scale: {names:names} (Fornell & Larcker, 1981).",
    "htmt.yes": "The largest HTMT is {htmt:r}, 95% CI [{low:r}, {high:r}], between {a:name} and {b:name}; all upper limits are below "
    "{limit:r}, so discriminant validity is supported ({table}).",
    "htmt.no": "The largest HTMT is {htmt:r}, 95% CI [{low:r}, {high:r}], between {a:name} and {b:name}; not every upper limit is below "
    "{limit:r}, so it remains open whether all scales are distinct ({table}).",
    "distinct.no.alarm": "{a:name} and {b:name} are hardly distinct: HTMT = {htmt:r}, 95% CI [{low:r}, {high:r}].",
    "distinct.no.limit": "{a:name} and {b:name} may be one thing; separate effects of the two cannot be told apart with confidence.",
    "table.validity": "Discriminant validity: Fornell-Larcker and HTMT",
    "note.validity": "Diagonal: square root of AVE. Below: factor correlations. Above: HTMT ({n_boot:d} bootstrap samples, n = {n:d} rows "
    "with all items answered).",
    "harman.yes": "The first component carries {value:pct} of the variance of all items, below the customary half.",
    "harman.no": "The first component carries {value:pct} of the variance of all items, half or more.",
    "harman.models": "One factor behind all items fits with CFI = {cfi_one:r3} and RMSEA = {rmsea_one:r3}, the scales with CFI = {cfi:r3} "
    "and RMSEA = {rmsea:r3} ({table}).",
    "method.yes": "Nothing that the items share beyond their scales was found (method factor, {value:p}).",
    "method.no": "The items share something beyond their scales (method factor, Δχ² = {delta:b1}, {value:p}): {share:pct1} of "
    "their variance; scale loadings change by {change:r} at most.",
    "method.none": "A method factor beside the scales could not be estimated.",
    "marker.yes": "With the marker {marker:name} taken out (r = {r:r}), every correlation of the scales still differs from zero.",
    "marker.no": "With the marker {marker:name} taken out (r = {r:r}), these correlations no longer differ from zero: {pairs:list}.",
    "bias.caution": "None of these checks can show that a common method is absent.",
    "bias.one": "one factor", "bias.scales": "the scales", "bias.method": "the scales and a method factor",
    "table.bias": "Common-method checks", "note.bias": "Maximum likelihood, n = {n:d} rows with all items answered.",
    "groups.small": "Too small for a comparison of the measurement and left out of it: {sizes:list}. A group needs at least {least:b0} "
    "respondents, and more respondents than the {items:d} items.",
    "groups.alone": "With {count:group|groups} of that size there is nothing to compare, so invariance was not tested.",
    "groups.alone.where": "groups too small", "groups.small.alarm": "Groups of {group:name} that are too small to compare their measurement: "
    "{sizes:list}. Merge them with others where that makes sense.",
    "groups.small.limit": "Whether the scales measure alike in {sizes:list} ({group:name}) was not tested, as too few answered.",
    "groups.none.where": "no group named", "groups.fitted": "The measurement model was fitted in {sizes:list} with growing equality.",
    "groups.change": "{dcfi:b3} (RMSEA {drmsea:b3}) for {step}", "groups.changes": "CFI changed by {changes:parts} ({table}).",
    "groups.none": "No step costs more than .010 in CFI: relations and means of the latent variables can be compared.",
    "groups.configural": "The same model does not fit in all groups, so neither relations nor means can be compared.",
    "groups.metric": "By the limit of .010 equal loadings do not hold, so neither relations nor means can be compared.",
    "groups.scalar": "By the limit of .010 equal intercepts do not hold: relations can be compared, means cannot.",
    "groups.strict": "By the limit of .010 equal residual variances do not hold; relations and means of the latent variables can be "
    "compared all the same.",
    "groups.configural.alarm": "Measurement differs across {group:name} (the same model fails): neither relations nor means of the groups "
    "can be compared.",
    "groups.metric.alarm": "Measurement differs across {group:name} (equal loadings fail): neither relations nor means of the groups can "
    "be compared.",
    "groups.scalar.alarm": "Measurement differs across {group:name} (equal intercepts fail): means of the groups must not be compared.",
    "groups.configural.limit": "The scales do not measure alike across {group:name}: neither relations nor means can be compared.",
    "groups.metric.limit": "The scales do not measure alike across {group:name}: neither relations nor means can be compared.",
    "groups.scalar.limit": "The scales do not measure alike across {group:name}: means must not be compared.",
    "groups.strict.limit": "Scale scores are not equally reliable across {group:name}; means of the latents can be compared all the same.",
    "groups.worst": "The equalities that cost most: {parts:list}.", "parameter.loading": "the loading of {item}",
    "parameter.intercept": "the intercept of {item}", "parameter.residual": "the residual variance of {item}",
    "group_size.no.limit": "The smallest group of {group:name} has {value:d} respondents; differences in measurement can have been missed.",
    "table.groups": "Invariance across {group:name}",
    "note.groups": "Robust maximum likelihood; changes against the row above, chi-square differences scaled.",
    # -- structure ------------------------------------------------------------------------------------------------
    "structure": "The structural model was fitted by robust maximum likelihood (n = {n:d}): {fit} ({table}).",
    "structure.r2": "Explained variance: {parts:list}.",
    "path.yes": "{x:name} predicted {y:name} {sign} (β = {beta:b}, b = {b:b3}, 95% CI [{low:b3}, {high:b3}], {p:p}).",
    "path.no": "{x:name} did not predict {y:name} (β = {beta:b}, b = {b:b3}, 95% CI [{low:b3}, {high:b3}], {p:p}); effects inside the "
    "interval remain possible.",
    "structure.poor.alarm": "The structural model fits poorly ({indices:list}); its paths are provisional.",
    "structure.poor.limit": "The structural model does not describe the answers well ({indices:list}).",
    "standardised.no.alarm": "The standardised path of {names:names} is beyond 1: the predictors overlap so much that their effects cannot "
    "be told apart.",
    "table.structure": "Structural paths", "note.structure": "b: unstandardised; β: standardised.{reference} Robust maximum likelihood.",
    "indirect": "Indirect effects are products of regression paths of the scale scores, with percentile intervals from {n_boot:d} bootstrap "
    "samples (n = {n:d}; {table}).",
    "indirect.yes": "{h}: the indirect effect of {x:name} on {y:name} through {m} is {b:b3}, 95% CI [{low:b3}, {high:b3}]; the "
    "interval leaves out zero.",
    "indirect.no": "{h}: the indirect effect of {x:name} on {y:name} through {m} is {b:b3}, 95% CI [{low:b3}, {high:b3}]; the interval "
    "contains zero, so there is no evidence of mediation.",
    "direct": "With {m} held constant, the direct effect is {b:b3}, 95% CI [{low:b3}, {high:b3}].",
    "indirect.latent": "In the structural model the product of the paths is {b:b3}.",
    "indirect.at": "{b:b3}, 95% CI [{low:b3}, {high:b3}], at {at}",
    "indirect.conditional": "{h}: the indirect effect of {x:name} on {y:name} through {m} depends on {w:name}: {parts:parts}.",
    "index.yes": "The index of moderated mediation{at} is {b:b3}, 95% CI [{low:b3}, {high:b3}]: the indirect effect changes with {w:name}.",
    "index.no": "The index of moderated mediation{at} is {b:b3}, 95% CI [{low:b3}, {high:b3}]; the interval contains zero, so a change with "
    "{w:name} is not shown.",
    "effect.indirect": "indirect", "effect.total indirect": "total indirect", "effect.direct": "direct", "effect.total": "total",
    "effect.index of moderated mediation": "index of moderated mediation", "effect.difference": "difference",
    "table.indirect": "Indirect, direct and total effects",
    "note.indirect": "Percentile intervals of {n_boot:d} bootstrap samples. β: standard deviations of the outcome per standard deviation "
    "of the predictor.{percentiles}", "note.percentiles": " P16, P50, P84: percentiles of the moderator.",
    "moderation": "{y:name} was regressed on {x:name}, {w:name} and their product, with HC3 standard errors; numbers were centred (n = "
    "{n:d}; {dropped:row|rows} left out for missing values).",
    "moderation.held": "{y:name} was regressed on {x:name}, {w:name} and their product, with {held:names} held constant and HC3 standard "
    "errors; numbers were centred (n = {n:d}; {dropped:row|rows} left out for missing values).",
    "moderation.none.where": "no moderator named",
    "moderation.r2": "The model explained {r2:pct1} of the variance, of which the product added {delta:pct1} ({table}).",
    "product.yes.lower": "The product was b = {b:b3}, 95% CI [{low:b3}, {high:b3}], {p:p}, {beta:b3} in standard deviations. One more point "
    "of {w:name} goes with a slope of {x:name} that is {size:b} lower.",
    "product.yes.higher": "The product was b = {b:b3}, 95% CI [{low:b3}, {high:b3}], {p:p}, {beta:b3} in standard deviations. One more point "
    "of {w:name} goes with a slope of {x:name} that is {size:b} higher.",
    "product.yes.groups": "The product was b = {b:b3}, 95% CI [{low:b3}, {high:b3}], {p:p}: the slope of {x:name} differs between the groups "
    "of {w:name} by {size:b}.",
    "product.no": "The product was b = {b:b3}, 95% CI [{low:b3}, {high:b3}], {p:p}, {beta:b3} in standard deviations. The interval includes "
    "zero: these data do not show that {w:name} changes the effect of {x:name}, and they do not show that it does not. Effects between "
    "{low:b3} and {high:b3} remain possible.",
    "groups_differ.yes": "The slopes of {x:name} differ between the groups of {w:name}, F({df1:b0}, {df2:b0}) = {f:b}, {value:p}.",
    "groups_differ.no": "It is not shown that the slopes of {x:name} differ between the groups of {w:name}, F({df1:b0}, {df2:b0}) = {f:b}, "
    "{value:p}.",
    "groups_differ.pair.yes": "{a} and {b} differ by {diff:b}, 95% CI [{low:b}, {high:b}], {p:p} (Holm).",
    "groups_differ.pair.no": "A difference between {a} and {b} is not shown: {diff:b}, 95% CI [{low:b}, {high:b}], {p:p} (Holm).",
    "detectable.limit": "With n = {n:d} and these reliabilities, a product would have to be about {size:b} in standard deviations of the "
    "constructs to be found four times in five; smaller ones will mostly be missed, and those found will look too large.",
    "vif.yes": "The predictors do not overlap strongly (largest variance inflation factor {value:b}).",
    "vif.no": "The predictors overlap strongly (largest variance inflation factor {value:b}, not below {limit:b0}).",
    "vif.no.alarm": "The predictors overlap strongly (variance inflation factor {value:b}): their separate effects are uncertain.",
    "added.covariates": "controls", "added.main effects": "main effects", "added.product": "product",
    "added.two-way products": "products", "added.squares": "squares",
    "table.hierarchy": "Hierarchical regression", "table.regression": "Coefficients of the full regression model",
    "note.hierarchy": "Outcome: {y:name}. ΔR²: change in R². F, df and p test what the step added (HC3); f²: ΔR² / (1 − R²).",
    "note.regression": "Outcome: {y:name}, n = {n:d}. HC3 standard errors; a main effect holds at the mean, or in the reference group, of the "
    "other variable.{reference} β: in standard deviations. VIF: variance inflation factor.",
    "note.reference": " Reference: {groups:list}.",
    "slope": "{b:b}, 95% CI [{low:b}, {high:b}], {p:p}, at {at}", "slope.plain": "{b:b} at {at}",
    "slopes": "Simple slopes of {x:name} on {y:name}: {parts:parts}.", "at.-1 SD": "\u22121 SD", "at.mean": "mean", "at.+1 SD": "+1 SD",
    "jn": "Johnson-Neyman: the slope {regions:parts}.",
    "region": "{kind} between {low:b} and {high:b} ({n:respondent|respondents}, {share:pct})",
    "region.positive": "is positive", "region.negative": "is negative", "region.not different from zero": "does not differ from zero",
    "table.slopes": "Simple slopes", "note.slopes": "Slopes of {x:name} on {y:name} at values of {w:name}.",
    "figure.slopes": "{y:name} and {x:name} at values of {w:name} (n = {n:d}).",
    "alt.slopes": "Scatter of {y:name} on {x:name} with a line for each value of {w:name}: {lines:list}; n = {n:d}.",
    "figure.jn": "Slope of {x:name} along {w:name}, with its 95% interval.",
    "alt.jn": "Line of the slope of {x:name} on {y:name} along {w:name} from {low:g} to {high:g} with its interval; the region where it "
    "differs from zero ends at {bounds:list}; n = {n:d}.",
    "line.slope": "{w:name} = {at}: slope {slope:b}", "line.slope_of": "slope of {x:name} on {y:name}",
    "line.differs": "differs from zero (p < .05)", "line.observation": "one observation (n = {n:d})",
    "latent": "With measurement error modelled (product indicators, complete rows, n = {n:d}), the product is {beta:b} standardised (b = {b:b3}, "
    "95% CI [{low:b3}, {high:b3}], {p:p}).",
    "latent.failed": "The latent interaction could not be estimated: {reason}.",
    "latent.failed.alarm": "The latent interaction could not be estimated: {reason}.", "latent.observed.where": "a single column, not a scale",
    "robust": "The product ranges from {low:b3} to {high:b3}; its interval leaves out zero in {count:d} of {of:analysis|analyses} ({table}).",
    "agree.no.alarm": "The conclusion on the product depends on choices: it is another for {against:list}.",
    "agree.no.limit": "Whether the product differs from zero depends on choices of the analysis that could have gone either way.",
    "sign.no.alarm": "The sign of the product changes between defensible analyses.",
    "analysis.reported": "as reported", "analysis.classical": "classical standard errors", "analysis.squares": "with squares of both",
    "analysis.no controls": "without other predictors", "analysis.complete": "only respondents who answered all items",
    "analysis.unflagged": "without flagged rows", "analysis.latent": "latent interaction",
    "table.robustness": "The product under other defensible choices",
    "note.robustness": "Latent interaction: product indicators, robust maximum likelihood, without other predictors; b is in units of the "
    "first items.", "note.robustness.joint": "With several groups: the product with the largest t, and the joint p.",
    # -- PLS ------------------------------------------------------------------------------------------------------
    "pls": "The model was estimated by partial least squares with correlation weights (mode A) and path weighting (n = {n:d}, {n_boot:d} "
    "bootstrap samples).",
    "pls.missing": "{cells:missing answer was|missing answers were} replaced by the item's mean, in {rows:row|rows}.",
    "rho_a.yes": "Reliability rho_A ran from {low:r} to {high:r}, at least {limit:r} for every construct ({table}).",
    "rho_a.no": "Reliability rho_A is below {limit:r} for {names:names} ({table}).",
    "pls.ave.no": "The average variance extracted is below .50 for {names:names}.",
    "pls.path.yes": "{x:name} predicted {y:name} {sign} (β = {b:b3}, 95% CI [{low:b3}, {high:b3}]{extra}).",
    "pls.path.no": "{x:name} did not predict {y:name} (β = {b:b3}, 95% CI [{low:b3}, {high:b3}]{extra}); effects inside the interval "
    "remain possible.",
    "pls.f2": "; f² = {f2:b3}, {size}", "size.negligible": "negligible", "size.small": "small", "size.medium": "medium", "size.large": "large",
    "q2.yes": "Out of sample every item of the outcomes is predicted better than by its mean (Q² from {low:b3} to {high:b3}; {table}).",
    "q2.no": "Out of sample not every item of the outcomes is predicted better than by its mean (Q² from {low:b3} to {high:b3}; {table}).",
    "predict.yes": "For {count:d} of {of:item|items} its error is smaller than that of a regression on all items: predictive power is at "
    "least medium.",
    "predict.no": "For only {count:d} of {of:item|items} its error is smaller than that of a regression on all items: predictive power is low "
    "or absent.",
    "pls.not": "Not computed here: importance-performance maps, necessary condition analysis and multi-group "
    "analysis. Products with groups are tested by regression.",
    "table.pls_measurement": "PLS measurement model", "table.pls_paths": "PLS paths",
    "note.pls_measurement": "CR: composite reliability rho_C; AVE: average variance extracted; VIF: variance inflation factor of the item "
    "among those of its construct.",
    "note.pls_paths": "Standardised; percentile intervals of {n_boot:d} bootstrap samples. PLSc: consistent PLS, with measurement error taken "
    "out by rho_A (not for a product). f²: effect size; empty for parts of a product.",
    "table.prediction": "Out-of-sample prediction of the items of the outcomes",
    "note.prediction": "Ten folds. Q²: one less the squared errors over those around the item's mean in the other folds. RMSE of PLS and of a "
    "regression on all items of the predictors (LM).",
    "cvpat.ia.yes": "By the cross-validated predictive ability test (CVPAT) the model predicts the outcomes better than the means of their items: "
    "average loss {own:b3} against {other:b3}, {p:p} ({table}).",
    "cvpat.ia.no": "The cross-validated predictive ability test (CVPAT) does not show that the model predicts the outcomes better than the means "
    "of their items: average loss {own:b3} against {other:b3}, {p:p} ({table}).",
    "cvpat.lm.yes": "It predicts them better than a regression on all items (average loss {other:b3}, {p:p}).",
    "cvpat.lm.no": "That it predicts them better or worse than a regression on all items is not shown (average loss {other:b3}, {p:p}).",
    "cvpat.lm.worse": "It predicts them worse than a regression on all items (average loss {other:b3}, {p:p}): single items say something about "
    "the outcomes that the constructs leave out.",
    "cvpat.same": "A regression on all items makes the same predictions, since every construct has one item.",
    "cvpat.all": "all outcomes", "table.cvpat": "Average losses out of sample (CVPAT)",
    "note.cvpat": "Loss: mean squared error over the items of an outcome, in the same ten folds; p from {n_boot:d} bootstrap samples of the "
    "losses. LM: regression on all items of the predictors. IA: means of the items in the other folds. A difference below zero favours PLS.",
    # -- hypotheses and closing -----------------------------------------------------------------------------------
    "hypotheses": "{count:d} of {of:hypothesis is|hypotheses are} supported: the 95% interval leaves out zero on the side that was claimed "
    "({table}).",
    "verdict.supported": "{h} ({claim}) is supported: b = {b:b3}, 95% CI [{low:b3}, {high:b3}].",
    "verdict.supported.joint": "{h} ({claim}) is supported: the slopes differ between the groups, F({df1:b0}, {df2:b0}) = {f:b}, {p:p}; the "
    "clearest difference from the reference group is {b:b3}, 95% CI [{low:b3}, {high:b3}].",
    "verdict.open.joint": "{h} ({claim}) is not supported: F({df1:b0}, {df2:b0}) = {f:b}, {p:p} for a difference between the groups; that is "
    "not the same as no effect.",
    "verdict.opposite": "{h} ({claim}) is not supported: b = {b:b3}, 95% CI [{low:b3}, {high:b3}] differs from zero on the other side.",
    "verdict.open": "{h} ({claim}) is not supported: b = {b:b3}, 95% CI [{low:b3}, {high:b3}] contains zero; that is not the same as no "
    "effect.",
    "verdict.not tested": "{h} ({claim}) could not be tested.",
    "basis.path": "path of the structural model, n = {n:d}", "basis.delta": "product of paths, delta method, n = {n:d}",
    "basis.indirect": "indirect effect, percentile bootstrap, n = {n:d}",
    "basis.conditional": "indirect effect at the median of the moderator, percentile bootstrap, n = {n:d}",
    "basis.product": "product of scale scores, HC3, n = {n:d}", "basis.joint": "joint test of the products with groups, HC3, n = {n:d}",
    "basis.pls": "PLS, percentile bootstrap, n = {n:d}", "basis.none": "the model has no usable solution",
    "table.hypotheses": "Hypotheses and what became of them",
    "note.hypotheses": "b: unstandardised (PLS: standardised). Not supported is not the same as no effect: see the interval.",
    "hypotheses.poor.alarm": "The structural model of the hypotheses fits poorly; its verdicts are provisional.",
    "limits.design": "All variables come from one questionnaire at one time. Neither the direction of an effect nor the share that a common "
    "method adds can be read from these data, whatever the coefficients are.",
    "software": "Python package switchcost {own} with {packages:list}; seed {seed}, {n_boot:d} bootstrap samples. The same file, codebook and "
    "settings give the same numbers.",
    "settings": "Settings: {settings}.", "setting.outcome": "outcome", "setting.predictors": "predictors",
    "setting.moderators": "moderators", "setting.covariates": "controls", "setting.group": "groups", "setting.exclude": "exclusion rules",
    "table.checklist": "What a committee looks for, and where it is", "note.checklist": "'Yours to write' cannot be computed from a data file.",
    "state.yes": "yes", "state.no": "no", "state.na": "not applicable", "state.yours": "yours to write", "yours.where": "not in the file",
    "check.sample": "Sample size and exclusions, with reasons", "check.audit": "Audit of the raw answers",
    "check.missing": "Missing answers and how they were handled", "check.descriptives": "Descriptive statistics and correlations",
    "check.reliability": "Reliability with intervals", "check.exploration": "Exploratory factor analysis",
    "check.factors": "Factor analysis: fit and loadings", "check.validity": "Validity: AVE and HTMT",
    "check.bias": "Common method bias", "check.groups": "Measurement invariance across groups",
    "check.structure": "Structural model: paths and fit", "check.pls": "PLS: measurement and paths", "check.prediction": "PLS: prediction out of sample, PLSpredict and CVPAT",
    "check.indirect": "Mediation: bootstrapped indirect effects",
    "check.moderation": "Moderated regression: product, slopes, Johnson-Neyman", "check.latent": "Latent interaction",
    "check.moderation.groups": "Moderated regression: products, slopes in each group", "check.robustness.groups": "The product under other choices",
    "check.robustness": "Squares beside the product, other choices", "check.hypotheses": "Hypotheses with verdict, estimate and interval",
    "check.limitations": "Limitations that follow from the numbers", "check.software": "Software, version and seed",
    "check.references": "References for the methods",
    "check.yours.people": "Who was asked and how they were found, the dates, the response rate",
    "check.yours.ethics": "Consent, ethics approval and data protection",
    "check.yours.items": "Where each item comes from and how it was translated",
    # -- heads of tables (those that are symbols stand for themselves) ----------------------------------------------
    "head.ci.omega": "95% CI of omega", "head.ci.alpha": "95% CI of alpha", "head.beta": "\u03b2", "head.chi2": "\u03c7\u00b2",
    "head.dchi2": "\u0394\u03c7\u00b2", "head.ddf": "\u0394df", "head.dcfi": "\u0394CFI", "head.drmsea": "\u0394RMSEA",
    "head.R2": "R\u00b2", "head.adj R2": "adj. R\u00b2", "head.dR2": "\u0394R\u00b2", "head.f2": "f\u00b2", "head.h2": "h\u00b2",
    "head.Q2": "Q\u00b2", "head.rho_A": "\u03c1A", "head.name": "", "head.at": "at", "head.basis": "rests on",
}  # fmt: skip
