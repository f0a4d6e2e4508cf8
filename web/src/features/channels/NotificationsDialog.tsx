/** What of a channel one wants to be notified of. */

import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import FormControlLabel from "@mui/material/FormControlLabel";
import Radio from "@mui/material/Radio";
import RadioGroup from "@mui/material/RadioGroup";
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { useTranslation } from "react-i18next";

import { notificationSettingsQuery } from "../../api/queries";
import type { Channel, NotificationLevel } from "../../api/types";
import { formatFull } from "../../lib/dates";
import { useMyId } from "../../state/context";
import { titleOf } from "../../state/names";
import { useNotifyOfChannel } from "./actions";

const HOUR = 60 * 60 * 1_000;

export function NotificationsDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const titleId = useId();
  const myId = useMyId();
  const { data: settings } = useQuery(notificationSettingsQuery);
  const own = settings?.channels.find(({ channel_id }) => channel_id === channel.id);
  const set = useNotifyOfChannel(channel.id);
  const until = own?.muted_until === undefined ? undefined : new Date(own.muted_until);
  const muted = until !== undefined && until > new Date();
  const level = own?.level ?? "default";
  const choose = (chosen: NotificationLevel | undefined, mutedUntil: string | undefined) =>
    set.mutate({
      ...(chosen === undefined ? {} : { level: chosen }),
      ...(mutedUntil === undefined ? {} : { muted_until: mutedUntil }),
    });
  const choices = ["default", "all", "mentions", "nothing"] as const;
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" aria-labelledby={titleId}>
      <DialogTitle id={titleId}>{t("notifications.of", { name: titleOf(channel, myId) })}</DialogTitle>
      <DialogContent>
        <RadioGroup aria-labelledby={titleId} value={level}>
          {choices.map((value) => (
            <FormControlLabel
              key={value}
              value={value}
              label={t(`notifications.level.${value}`)}
              disabled={settings === undefined || set.isPending}
              control={
                <Radio
                  size="small"
                  onChange={() => choose(value === "default" ? undefined : value, own?.muted_until)}
                />
              }
            />
          ))}
        </RadioGroup>
      </DialogContent>
      <DialogActions>
        {muted ? (
          <Button disabled={set.isPending} onClick={() => choose(own?.level, undefined)}>
            {t("notifications.unmute", { time: formatFull(until, i18n.language) })}
          </Button>
        ) : (
          <Button
            disabled={settings === undefined || set.isPending}
            onClick={() => choose(own?.level, new Date(Date.now() + HOUR).toISOString())}
          >
            {t("notifications.mute")}
          </Button>
        )}
        <Button onClick={onClose}>{t("common.close")}</Button>
      </DialogActions>
    </Dialog>
  );
}
