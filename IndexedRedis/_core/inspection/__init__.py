"""Report on queries, models and databases: explain(), info(), findModels(). It only reads."""
