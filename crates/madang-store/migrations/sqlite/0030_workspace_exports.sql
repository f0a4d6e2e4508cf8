-- An export may also be of a workspace, as the user sees it who keeps it; 0: of the user themself. One of a workspace is
-- made at a time.
ALTER TABLE exports ADD COLUMN workspace_id BIGINT NOT NULL DEFAULT 0;
DROP INDEX exports_user;
CREATE UNIQUE INDEX exports_user ON exports (user_id, workspace_id) WHERE state <> 'removed';
CREATE UNIQUE INDEX exports_workspace ON exports (workspace_id) WHERE state = 'waiting' AND workspace_id <> 0;
