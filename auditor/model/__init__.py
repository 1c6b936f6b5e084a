"""The nouns of the program: frozen, typed, without behavior beyond small properties."""
