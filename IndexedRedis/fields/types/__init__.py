"""Field types, one file each; IndexedRedis.fields imports their names."""
