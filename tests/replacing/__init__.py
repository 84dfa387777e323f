"""Changes that ``resetChanged`` makes live in one moment."""
