"""Replace a data set: by staging and swap, by writing only the changes, or by an empty one."""
