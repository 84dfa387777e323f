"""The command ``mirror``: one run, runs at fixed times, or following a log until it is stopped."""
