/** Bringing people of the workspace into a channel. */

import Button from "@mui/material/Button";
import CircularProgress from "@mui/material/CircularProgress";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import List from "@mui/material/List";
import ListItemButton from "@mui/material/ListItemButton";
import ListItemText from "@mui/material/ListItemText";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { channelMembersQuery, workspaceMembersQuery } from "../../api/queries";
import type { Channel } from "../../api/types";
import { notify } from "../../state/notices";
import { Avatar } from "../../ui/Avatar";
import { useInvite } from "./actions";

export function InviteDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const { t } = useTranslation();
  const titleId = useId();
  const [wanted, setWanted] = useState("");
  const people = useInfiniteQuery(workspaceMembersQuery(channel.workspace_id));
  const here = useInfiniteQuery(channelMembersQuery(channel.id));
  const invite = useInvite(channel.id, (user) =>
    notify(t("members.invited", { name: user.display_name }), "success"),
  );

  const inside = new Set(here.data?.map((member) => member.user.id));
  const text = wanted.normalize("NFC").toLocaleLowerCase();
  const outside = (people.data ?? []).filter(({ user }) => !inside.has(user.id));
  const found = outside.filter(({ user }) =>
    `${user.display_name} ${user.username}`.toLocaleLowerCase().includes(text),
  );
  const loading = people.isPending || here.isPending;
  const complete = !people.hasNextPage && !here.hasNextPage;

  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" aria-labelledby={titleId}>
      <DialogTitle id={titleId}>{t("members.inviteTitle", { name: channel.name })}</DialogTitle>
      <DialogContent>
        <TextField
          autoFocus
          fullWidth
          margin="dense"
          type="search"
          label={t("members.inviteHint")}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        {loading && (
          <CircularProgress aria-label={t("app.loading")} sx={{ display: "block", mx: "auto", my: 2 }} />
        )}
        {!loading && complete && found.length === 0 && (
          <Typography color="textSecondary" sx={{ py: 2 }}>
            {outside.length === 0 ? t("members.inviteNobody") : t("channels.noMatch", { text: wanted })}
          </Typography>
        )}
        <List dense>
          {found.map(({ user }) => (
            <ListItemButton key={user.id} disabled={invite.isPending} onClick={() => invite.mutate(user)}>
              <Avatar id={user.id} name={user.display_name} url={user.avatar_url} size={28} />
              <ListItemText sx={{ ml: 1.5 }} primary={user.display_name} secondary={user.username} />
            </ListItemButton>
          ))}
        </List>
        {!complete && (
          <Button
            fullWidth
            onClick={() => {
              void people.fetchNextPage();
              if (here.hasNextPage) void here.fetchNextPage();
            }}
          >
            {t("common.more")}
          </Button>
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t("common.close")}</Button>
      </DialogActions>
    </Dialog>
  );
}
