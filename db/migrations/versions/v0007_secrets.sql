-- Secrets that earlier versions kept readable: webhooks' addresses, and keys in the addresses of trackers.

-- The owner is bound by row security too; for this transaction it is not. Where the tables are only just made, it
-- is not enabled yet, and this changes nothing.
ALTER TABLE ims.trackers NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ims.saved_searches NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ims.audit_log NO FORCE ROW LEVEL SECURITY;

-- A query was never sent to a tracker.
UPDATE ims.trackers SET base_url = regexp_replace(base_url, '[?#].*$', '') WHERE base_url ~ '[?#]';

-- No key is here to seal them with: only the site stays, and the worker asks for the address to be stored again.
UPDATE ims.saved_searches
SET options = jsonb_set(
    options, '{webhook}', jsonb_build_object('shown', substring(options ->> 'webhook' FROM '^https?://[^/?#]*')))
WHERE jsonb_typeof(options -> 'webhook') = 'string';

-- What those updates, and whoever made the rows, left in the log.
UPDATE ims.audit_log
SET old_value = jsonb_set(old_value, '{options,webhook}', '"set"')
WHERE resource_type = 'saved_searches' AND jsonb_typeof(old_value #> '{options,webhook}') = 'string';
UPDATE ims.audit_log
SET new_value = jsonb_set(new_value, '{options,webhook}', '"set"')
WHERE resource_type = 'saved_searches' AND jsonb_typeof(new_value #> '{options,webhook}') = 'string';
UPDATE ims.audit_log
SET old_value = jsonb_set(
    old_value, '{base_url}', to_jsonb(regexp_replace(old_value ->> 'base_url', '[?#].*$', '?***')))
WHERE resource_type = 'trackers' AND old_value ->> 'base_url' ~ '[?#]';
UPDATE ims.audit_log
SET new_value = jsonb_set(
    new_value, '{base_url}', to_jsonb(regexp_replace(new_value ->> 'base_url', '[?#].*$', '?***')))
WHERE resource_type = 'trackers' AND new_value ->> 'base_url' ~ '[?#]';

ALTER TABLE ims.trackers FORCE ROW LEVEL SECURITY;
ALTER TABLE ims.saved_searches FORCE ROW LEVEL SECURITY;
ALTER TABLE ims.audit_log FORCE ROW LEVEL SECURITY;

ALTER TABLE ims.trackers ADD CONSTRAINT trackers_base_url_query_check CHECK (base_url !~ '[?#]');
