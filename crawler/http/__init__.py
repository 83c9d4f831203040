"""HTTP below the client: one request, its answer, and what is made of both."""
