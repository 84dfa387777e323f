"""Read-only reports: explain(), info(), findModels()."""
