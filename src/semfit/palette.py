"""Colours, markers and line styles of every figure: a reader without colours can tell them apart by the other two."""

# Okabe & Ito (2008), in the order in which they are easiest to tell apart on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
GREY = "#6e6e6e"
