/** Who is in the workspace: roles, adding someone, putting someone out. */

import Button from "@mui/material/Button";
import CircularProgress from "@mui/material/CircularProgress";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import List from "@mui/material/List";
import ListItem from "@mui/material/ListItem";
import ListItemText from "@mui/material/ListItemText";
import MenuItem from "@mui/material/MenuItem";
import Select from "@mui/material/Select";
import TextField from "@mui/material/TextField";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { workspaceMembersQuery } from "../../api/queries";
import type { Member, Role, Workspace } from "../../api/types";
import { useMyId } from "../../state/context";
import { errorText } from "../../state/errorText";
import { notify } from "../../state/notices";
import { mayAssign, mayKeepWorkspace } from "../../state/permissions";
import { useCounted, usePresence, useWatchedRow } from "../../state/presence";
import { Avatar } from "../../ui/Avatar";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { useAddToWorkspace, useChangeRole, useRemoveFromWorkspace } from "./actions";

const roles: readonly Role[] = ["owner", "admin", "moderator", "member", "guest", "visitor"];

export function WorkspaceMembersDialog({
  workspace,
  onClose,
}: {
  workspace: Workspace;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const titleId = useId();
  const query = useInfiniteQuery(workspaceMembersQuery(workspace.id));
  const remove = useRemoveFromWorkspace(workspace.id);
  const [removing, setRemoving] = useState<Member>();
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="sm" aria-labelledby={titleId}>
      <DialogTitle id={titleId}>
        {t("members.members")} · {workspace.name}
      </DialogTitle>
      <DialogContent>
        {mayKeepWorkspace(workspace.role) && <AddForm workspaceId={workspace.id} />}
        {query.isPending && (
          <CircularProgress aria-label={t("app.loading")} sx={{ display: "block", mx: "auto", my: 2 }} />
        )}
        <List dense>
          {query.data?.map((member) => (
            <Row
              key={member.user.id}
              workspace={workspace}
              member={member}
              onRemove={() => setRemoving(member)}
            />
          ))}
        </List>
        {query.hasNextPage && (
          <Button fullWidth disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("common.more")}
          </Button>
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t("common.close")}</Button>
      </DialogActions>
      <ConfirmDialog
        open={removing !== undefined}
        title={t("members.removeTitle", { name: removing?.user.display_name ?? "" })}
        confirmLabel={t("members.removeWorkspace")}
        danger
        busy={remove.isPending}
        onCancel={() => setRemoving(undefined)}
        onConfirm={() => {
          if (removing === undefined) return;
          remove.mutate(removing.user.id, { onSettled: () => setRemoving(undefined) });
        }}
      />
    </Dialog>
  );
}

function Row(props: { workspace: Workspace; member: Member; onRemove: () => void }) {
  const { workspace, member, onRemove } = props;
  const { t } = useTranslation();
  const myId = useMyId();
  const presence = usePresence()[member.user.id];
  const row = useWatchedRow<HTMLDivElement>(member.user.id, useCounted(workspace.id) !== undefined);
  const change = useChangeRole(workspace.id);
  const { user, role } = member;
  // Without an account one is a guest, or was let in by a link, and cannot be anything else.
  const fits = (each: Role) => each !== "visitor" && (each === "guest") === user.id.startsWith("guest_");
  const may = user.id !== myId && mayAssign(workspace.role, role);
  const choices = roles.filter((each) => each === role || (fits(each) && mayAssign(workspace.role, each)));
  return (
    <ListItem disableGutters sx={{ gap: 1 }}>
      <Avatar
        id={user.id}
        name={user.display_name}
        url={user.avatar_url}
        size={32}
        status={presence?.status ?? "offline"}
      />
      <ListItemText
        ref={row}
        sx={{ ml: 1, minWidth: 0 }}
        primary={user.display_name}
        secondary={user.username}
      />
      {may && choices.length > 1 ? (
        <Select
          size="small"
          value={role}
          disabled={change.isPending}
          onChange={(event) => change.mutate({ userId: user.id, role: event.target.value })}
          inputProps={{ "aria-label": `${t("members.role")}: ${user.display_name}` }}
        >
          {choices.map((each) => (
            <MenuItem key={each} value={each}>
              {t(`members.roles.${each}`)}
            </MenuItem>
          ))}
        </Select>
      ) : (
        t(`members.roles.${role}`)
      )}
      {may && (
        <Button size="small" color="error" onClick={onRemove}>
          {t("members.remove")}
        </Button>
      )}
    </ListItem>
  );
}

function AddForm({ workspaceId }: { workspaceId: string }) {
  const { t } = useTranslation();
  const [username, setUsername] = useState("");
  const add = useAddToWorkspace(workspaceId, (name) => {
    setUsername("");
    notify(t("members.invited", { name }), "success");
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate(username.trim());
      }}
      style={{ display: "flex", alignItems: "baseline", gap: 8 }}
    >
      <TextField
        fullWidth
        margin="dense"
        size="small"
        label={t("workspaces.invite")}
        placeholder={t("workspaces.inviteHint")}
        value={username}
        onChange={(event) => setUsername(event.target.value)}
        error={add.error !== null}
        helperText={add.error === null ? undefined : errorText(add.error)}
      />
      <Button type="submit" disabled={add.isPending || username.trim() === ""}>
        {t("members.invite")}
      </Button>
    </form>
  );
}
