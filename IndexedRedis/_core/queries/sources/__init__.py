"""Where the pks of a query come from: a set expression, several terms, or whole atoms."""
