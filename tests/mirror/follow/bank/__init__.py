"""A bank: random transactions in SQL, followed into Redis while readers judge every answer."""
