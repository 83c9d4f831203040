CREATE TABLE IF NOT EXISTS ims.alerts (
    user_id integer NOT NULL DEFAULT ims.current_user_id(),
    saved_search_id bigint NOT NULL,
    command text,
    webhook_sealed text,
    webhook_site text,
    cron text,
    timezone text NOT NULL DEFAULT 'UTC',
    next_at timestamptz NOT NULL DEFAULT now(),
    failures integer NOT NULL DEFAULT 0,
    error text,
    told_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, saved_search_id),
    FOREIGN KEY (user_id, saved_search_id) REFERENCES ims.saved_searches (user_id, saved_search_id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS alerts_user_id_next_at_idx ON ims.alerts (user_id, next_at);

CREATE TABLE IF NOT EXISTS ims.alert_hits (
    user_id integer NOT NULL DEFAULT ims.current_user_id(),
    saved_search_id bigint NOT NULL,
    issue_pk bigint NOT NULL,
    channel text NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, saved_search_id, issue_pk, channel),
    FOREIGN KEY (user_id, saved_search_id) REFERENCES ims.alerts (user_id, saved_search_id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, issue_pk) REFERENCES ims.issues (user_id, issue_pk) ON DELETE CASCADE,
    CONSTRAINT alert_hits_channel_check CHECK (channel IN ('command', 'webhook'))
);
CREATE INDEX IF NOT EXISTS alert_hits_user_id_issue_pk_idx ON ims.alert_hits (user_id, issue_pk);
