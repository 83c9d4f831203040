"""The command line, one small module per group of commands.

Commands import what they need when they run, so that ``--help`` answers at once.
"""
