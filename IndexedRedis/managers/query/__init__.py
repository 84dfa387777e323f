"""``Model.objects``: filters, and the methods that execute a query."""
