-- Summaries are their owner's, as what they are made of.
SELECT ims_private.protect_table('ims.issue_summaries');
SELECT ims_private.protect_table('ims.summary_refreshes');
