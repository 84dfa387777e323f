"""The scripts that insert, update and delete rows: they compare, then move index entries."""
