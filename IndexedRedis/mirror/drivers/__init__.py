"""Values that drivers change or cannot read: infinity, the year 10000, dates of zeros, broken text.

A driver is a file here, and a row in ``choice.py``. The rule: such a value comes as the text that
SQL writes for it, so that its field refuses it, and the message names the row; or the run is
refused.
"""
