-- Before what they call, for search_query is bound to it.
DROP FUNCTION IF EXISTS ims.search_query(text, text);
DROP FUNCTION IF EXISTS ims.read_question(text, text);
DROP FUNCTION IF EXISTS ims.hit_pattern(text);
DROP FUNCTION IF EXISTS ims.query_clauses(text);
