"""One migration a file: ``v<number>_<what>.py``, in the order of their numbers."""
