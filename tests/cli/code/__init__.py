"""Commands that write code: ``scaffold`` and ``stubs``."""
