"""The tracker process: the one place where text of a tracker is met.

It holds the credential of one tracker and nothing else: it logs in, searches, fetches, parses and compresses
for one session, and answers its coordinator in frames of plain fields. ``main`` is the program, ``session``
does what is asked for, ``messages`` is the language between the two.
"""
