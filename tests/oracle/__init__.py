"""A second answer to "would consent be granted?", to disagree with the engine where one of them is wrong.

It shares no code with the program, reads the snapshot document itself, and is slow on purpose: it walks
through every way in which the unread part of a tenant may be. Section numbers refer to the consent model
that the project was built on.
"""
