/** The bell: how many notifications are unread, and the newest of them, each of which leads to its message. */

import NotificationsIcon from "@mui/icons-material/NotificationsOutlined";
import SettingsIcon from "@mui/icons-material/SettingsOutlined";
import Badge from "@mui/material/Badge";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import IconButton from "@mui/material/IconButton";
import List from "@mui/material/List";
import ListItemButton from "@mui/material/ListItemButton";
import ListItemText from "@mui/material/ListItemText";
import Popover from "@mui/material/Popover";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { notificationsQuery } from "../../api/queries";
import type { Notification } from "../../api/types";
import { dayOf, formatDay, formatTime } from "../../lib/dates";
import { useMyId } from "../../state/context";
import { titleOf } from "../../state/names";
import { useUnread } from "../../state/notifications";
import { useChannels } from "../../state/places";
import { useReadNotifications } from "./actions";
import { NotificationSettingsDialog } from "./NotificationSettingsDialog";

/** Where a notification leads: a message of a channel; of a reply, the one that its thread is about, and itself. */
export interface Target {
  channelId: string;
  messageId: string | undefined;
  replyId?: string | undefined;
}

function targetOf({ channel_id, message_id, thread }: Notification): Target {
  if (thread === undefined) return { channelId: channel_id, messageId: message_id };
  return { channelId: thread.channel_id, messageId: thread.root_id, replyId: message_id };
}

const mayAsk = () =>
  typeof window.Notification !== "undefined" && window.Notification.permission === "default";

export function NotificationBell({ onChosen }: { onChosen: (target: Target) => void }) {
  const { t } = useTranslation();
  const unread = useUnread();
  const [anchor, setAnchor] = useState<HTMLElement>();
  const [setting, setSetting] = useState(false);
  return (
    <>
      <IconButton
        aria-label={t("notifications.bell", { count: unread })}
        aria-haspopup="dialog"
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        <Badge badgeContent={unread} color="primary" max={99}>
          <NotificationsIcon />
        </Badge>
      </IconButton>
      <Popover
        open={anchor !== undefined}
        anchorEl={anchor ?? null}
        onClose={() => setAnchor(undefined)}
        anchorOrigin={{ vertical: "bottom", horizontal: "left" }}
        slotProps={{
          paper: { role: "dialog", "aria-label": t("notifications.title"), sx: { width: 360 } },
        }}
      >
        {anchor !== undefined && (
          <Newest
            onChosen={(target) => {
              setAnchor(undefined);
              onChosen(target);
            }}
            onSettings={() => {
              setAnchor(undefined);
              setSetting(true);
            }}
          />
        )}
      </Popover>
      {setting && <NotificationSettingsDialog onClose={() => setSetting(false)} />}
    </>
  );
}

interface NewestProps {
  onChosen: (target: Target) => void;
  onSettings: () => void;
}

function Newest({ onChosen, onSettings }: NewestProps) {
  const { t, i18n } = useTranslation();
  const myId = useMyId();
  const { channels } = useChannels();
  const { data: newest = [], isPending } = useQuery(notificationsQuery);
  const read = useReadNotifications();
  const [asking, setAsking] = useState(mayAsk);
  const unread = newest.filter((one) => !one.read).map(({ id }) => id);
  const now = new Date();
  /** In which channel, and when. */
  const placeOf = (one: Notification) => {
    const channel = channels?.find(({ id }) => id === targetOf(one).channelId);
    const date = new Date(one.created_at);
    const today = dayOf(date) === dayOf(now);
    const time = today ? formatTime(date, i18n.language) : formatDay(date, i18n.language, now);
    return channel === undefined || channel.kind === "dm" ? time : `${titleOf(channel, myId)} · ${time}`;
  };
  return (
    <>
      <Box sx={{ display: "flex", alignItems: "center", px: 2, pt: 1.5, gap: 1 }}>
        <Typography component="h2" variant="subtitle1" sx={{ flex: 1, fontWeight: 600 }}>
          {t("notifications.title")}
        </Typography>
        <IconButton size="small" aria-label={t("notifications.settings")} onClick={onSettings}>
          <SettingsIcon fontSize="small" />
        </IconButton>
        <Button size="small" disabled={unread.length === 0} onClick={() => read.mutate(unread)}>
          {t("notifications.readAll")}
        </Button>
      </Box>
      {asking && (
        <Button
          size="small"
          sx={{ mx: 1 }}
          onClick={() => void window.Notification.requestPermission().then(() => setAsking(mayAsk()))}
        >
          {t("notifications.allow")}
        </Button>
      )}
      {newest.length === 0 && !isPending && (
        <Typography color="textSecondary" sx={{ p: 2 }}>
          {t("notifications.none")}
        </Typography>
      )}
      <List dense sx={{ maxHeight: "60vh", overflowY: "auto" }}>
        {newest.map((one) => (
          <ListItemButton
            key={one.id}
            selected={!one.read}
            onClick={() => {
              if (!one.read) read.mutate([one.id]);
              onChosen(targetOf(one));
            }}
          >
            <ListItemText
              primary={t(`notifications.kind.${one.kind}`, { name: one.author.display_name })}
              secondary={
                <>
                  {one.excerpt}
                  <Typography component="span" variant="caption" noWrap sx={{ display: "block" }}>
                    {placeOf(one)}
                  </Typography>
                </>
              }
              slotProps={{
                primary: { sx: { fontWeight: one.read ? 400 : 600 } },
                secondary: { noWrap: true },
              }}
            />
          </ListItemButton>
        ))}
      </List>
    </>
  );
}
