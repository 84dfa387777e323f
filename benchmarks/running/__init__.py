"""Run subjects in processes of their own, in turns, and sample what they take."""
