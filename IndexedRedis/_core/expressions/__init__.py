"""Filters as an expression tree, its normal form, and its lowering to set algebra. Pure."""
