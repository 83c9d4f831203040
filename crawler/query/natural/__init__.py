"""How a question becomes a query: direct syntax first, then rules for English, Korean and Japanese."""
