"""Store new objects: their pks are drawn, and whole rows are stored without comparing."""
