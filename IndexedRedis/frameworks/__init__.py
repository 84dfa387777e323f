"""What other frameworks take from a model. The extras are imported where they are needed."""
