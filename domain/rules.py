"""Rules that several subjects refuse by: requirement and citation."""

TERMINAL_RULE = "SEC-040, 21 CFR 11.10(h)"

TRAINING_RULE = "SEC-030, 21 CFR 111.12(c), 111.14(b)(2)"
