"""Templates of stages: the language of type files, and what every stage gets."""
