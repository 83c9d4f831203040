-- What came of issues by day and by week, worked out by ims.refresh_materialized_views().
CREATE TABLE ims.issue_summaries (
    user_id integer DEFAULT ims.current_user_id() NOT NULL,
    period text NOT NULL,
    period_start date NOT NULL,
    product text DEFAULT '' NOT NULL,
    created integer DEFAULT 0 NOT NULL,
    closed integer DEFAULT 0 NOT NULL,
    reopened integer DEFAULT 0 NOT NULL,
    CONSTRAINT issue_summaries_pkey PRIMARY KEY (user_id, period, period_start, product),
    CONSTRAINT issue_summaries_period_check CHECK (period IN ('day', 'week')),
    CONSTRAINT issue_summaries_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES ims.users (user_id) ON DELETE RESTRICT
);

-- When a user's summaries were last worked out.
CREATE TABLE ims.summary_refreshes (
    user_id integer DEFAULT ims.current_user_id() NOT NULL,
    refreshed_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT summary_refreshes_pkey PRIMARY KEY (user_id),
    CONSTRAINT summary_refreshes_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES ims.users (user_id) ON DELETE RESTRICT
);

-- A user's changes, all of them or those of a time: without it every figure reads everybody's.
CREATE INDEX issue_history_user_id_changed_at_idx ON ims.issue_history (user_id, changed_at);
