"""Following the change log of a database: a commit in SQL is in Redis a moment later.

The rule: the log says which rows changed; the selects of the mirror read what they are now, in
a snapshot of which is known which commits it shows. These commits go live together.
"""
