/** The channels of the workspace that one is not in, and joining them. */

import Button from "@mui/material/Button";
import CircularProgress from "@mui/material/CircularProgress";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import List from "@mui/material/List";
import ListItem from "@mui/material/ListItem";
import ListItemText from "@mui/material/ListItemText";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { browseQuery } from "../../api/queries";
import type { Channel } from "../../api/types";
import { errorText } from "../../state/errorText";
import { useJoinChannel } from "./actions";

export interface BrowseDialogProps {
  workspaceId: string;
  onClose: () => void;
  onJoined: (channel: Channel) => void;
  /** Look into it without joining. */
  onLook: (channel: Channel) => void;
}

export function BrowseDialog({ workspaceId, onClose, onJoined, onLook }: BrowseDialogProps) {
  const { t, i18n } = useTranslation();
  const titleId = useId();
  const [wanted, setWanted] = useState("");
  const { data, error, isPending } = useQuery(browseQuery(workspaceId));
  const join = useJoinChannel(onJoined);

  const open = (data ?? [])
    .filter((channel) => channel.joined !== true && channel.archived_at === undefined)
    .toSorted((a, b) => a.name.localeCompare(b.name, i18n.language));
  const text = wanted.normalize("NFC").toLocaleLowerCase();
  const found = open.filter((channel) => channel.name.toLocaleLowerCase().includes(text));

  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="sm" aria-labelledby={titleId}>
      <DialogTitle id={titleId}>{t("channels.browse")}</DialogTitle>
      <DialogContent>
        <TextField
          autoFocus
          fullWidth
          margin="dense"
          type="search"
          label={t("channels.filter")}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        {isPending && (
          <CircularProgress aria-label={t("app.loading")} sx={{ display: "block", mx: "auto", my: 2 }} />
        )}
        {error !== null && <Typography role="alert">{errorText(error)}</Typography>}
        {data !== undefined && found.length === 0 && (
          <Typography color="textSecondary" sx={{ py: 2 }}>
            {open.length === 0 ? t("channels.browseEmpty") : t("channels.noMatch", { text: wanted })}
          </Typography>
        )}
        <List>
          {found.map((channel) => (
            <ListItem
              key={channel.id}
              disableGutters
              secondaryAction={
                <Button
                  variant="outlined"
                  size="small"
                  disabled={join.isPending}
                  aria-label={t("channels.joinTitle", { name: channel.name })}
                  onClick={() => join.mutate(channel.id)}
                >
                  {t("channels.join")}
                </Button>
              }
            >
              <ListItemText
                sx={{ pr: 8, cursor: "pointer" }}
                onClick={() => onLook(channel)}
                primary={`# ${channel.name}`}
                secondary={[channel.topic, t("channels.members", { count: channel.member_count })]
                  .filter((part) => part !== "")
                  .join(" · ")}
              />
            </ListItem>
          ))}
        </List>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t("common.close")}</Button>
      </DialogActions>
    </Dialog>
  );
}
