"""Save, delete, reindex: entries compared and moved, by script or in guarded transactions."""
