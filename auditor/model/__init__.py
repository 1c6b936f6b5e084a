"""The nouns of the program: frozen, typed, without behaviour beyond small properties."""
