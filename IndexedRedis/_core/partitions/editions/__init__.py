"""Which edition of a model is true: the pointer and the fences that tell it."""
