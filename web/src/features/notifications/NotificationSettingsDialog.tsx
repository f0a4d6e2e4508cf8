/** Of which words one wants to be notified, and when not to be disturbed. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import CircularProgress from "@mui/material/CircularProgress";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import FormControlLabel from "@mui/material/FormControlLabel";
import TextField from "@mui/material/TextField";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { notificationSettingsQuery } from "../../api/queries";
import type { NotificationSettings, QuietHours, Weekday } from "../../api/types";
import { errorText } from "../../state/errorText";
import { useSaveNotificationSettings } from "./actions";

const week: readonly Weekday[] = [
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
  "sunday",
];

/** A Monday, to take the names of days from. */
const MONDAY = Date.UTC(2024, 0, 1);

function nameOf(day: number, language: string, weekday: "short" | "long"): string {
  const date = new Date(MONDAY + day * 86_400_000);
  return new Intl.DateTimeFormat(language, { weekday, timeZone: "UTC" }).format(date);
}

export function NotificationSettingsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const titleId = useId();
  const { data: settings, error } = useQuery(notificationSettingsQuery);
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" aria-labelledby={titleId}>
      <DialogTitle id={titleId}>{t("notifications.settings")}</DialogTitle>
      {settings === undefined ? (
        <DialogContent>
          {error === null ? (
            <CircularProgress aria-label={t("app.loading")} />
          ) : (
            <Typography role="alert">{errorText(error)}</Typography>
          )}
        </DialogContent>
      ) : (
        <Form settings={settings} onClose={onClose} />
      )}
    </Dialog>
  );
}

function Form({ settings, onClose }: { settings: NotificationSettings; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const daysId = useId();
  const [keywords, setKeywords] = useState(settings.keywords.join("\n"));
  const [quiet, setQuiet] = useState(settings.quiet_hours !== undefined);
  const [hours, setHours] = useState<QuietHours>(
    settings.quiet_hours ?? {
      days: [...week],
      from: "22:00",
      to: "08:00",
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
  );
  const save = useSaveNotificationSettings(onClose);
  const words = keywords
    .split("\n")
    .map((word) => word.trim())
    .filter((word) => word !== "");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({
          keywords: [...new Set(words)],
          ...(quiet ? { quiet_hours: hours } : {}),
          ...(settings.snoozed_until === undefined ? {} : { snoozed_until: settings.snoozed_until }),
        });
      }}
    >
      <DialogContent sx={{ pt: 0 }}>
        <TextField
          autoFocus
          fullWidth
          multiline
          minRows={3}
          margin="dense"
          label={t("notifications.keywords")}
          helperText={t("notifications.keywordsHint")}
          value={keywords}
          onChange={(event) => setKeywords(event.target.value)}
        />
        <FormControlLabel
          label={t("notifications.quiet")}
          control={<Checkbox checked={quiet} onChange={(event) => setQuiet(event.target.checked)} />}
        />
        {quiet && (
          <>
            <Typography id={daysId} variant="body2" color="textSecondary" sx={{ mb: 0.5 }}>
              {t("notifications.quietDays")}
            </Typography>
            <ToggleButtonGroup
              fullWidth
              size="small"
              aria-labelledby={daysId}
              value={hours.days}
              onChange={(_event, days: Weekday[]) => {
                if (days.length > 0) setHours({ ...hours, days: week.filter((day) => days.includes(day)) });
              }}
            >
              {week.map((day, at) => (
                <ToggleButton key={day} value={day} aria-label={nameOf(at, i18n.language, "long")}>
                  {nameOf(at, i18n.language, "short")}
                </ToggleButton>
              ))}
            </ToggleButtonGroup>
            <Box sx={{ display: "flex", gap: 1, mt: 1.5 }}>
              {(["from", "to"] as const).map((end) => (
                <TextField
                  key={end}
                  required
                  fullWidth
                  type="time"
                  size="small"
                  label={t(end === "from" ? "notifications.quietFrom" : "notifications.quietTo")}
                  value={hours[end]}
                  onChange={(event) => setHours({ ...hours, [end]: event.target.value })}
                  slotProps={{ inputLabel: { shrink: true } }}
                />
              ))}
            </Box>
            <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 1 }}>
              {t("notifications.quietHint", { zone: hours.time_zone })}
            </Typography>
          </>
        )}
        {save.error !== null && (
          <Typography color="error" role="alert">
            {errorText(save.error)}
          </Typography>
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button type="submit" variant="contained" disabled={save.isPending}>
          {t("common.save")}
        </Button>
      </DialogActions>
    </form>
  );
}
