"""What happens when things go wrong. The rule: each test counts how often the thing it is about
really happened, and fails if that was too seldom to mean anything."""
