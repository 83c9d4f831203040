"""The stages of a crawl session: search, fetch and parse, load.

They run side by side and hand each other bounded queues, so that memory stays flat however long a session is.
What must survive a kill is in the database, never only in a queue: the search commits its cursor together
with the references it found; the loader commits an issue, its children, its raw pages and its place in the
frontier together.
"""
