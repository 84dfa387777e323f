"""Plan a model over many primaries: from measured costs, by formulas and by simulation."""
