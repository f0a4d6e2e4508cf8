/** What one says of oneself: there, away or not to be disturbed, an emoji and a few words; and for how long. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import FormControlLabel from "@mui/material/FormControlLabel";
import Radio from "@mui/material/Radio";
import RadioGroup from "@mui/material/RadioGroup";
import TextField from "@mui/material/TextField";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { keys } from "../../api/keys";
import { updateStatus } from "../../api/requests";
import type { Presence, UserStatus } from "../../api/types";
import { formatFull } from "../../lib/dates";
import { useMyId } from "../../state/context";
import { errorText } from "../../state/errorText";
import { notify } from "../../state/notices";
import { durations, endOf, statusBody, type Duration } from "../../state/status";

export function StatusDialog({ presence, onClose }: { presence: Presence | undefined; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const titleId = useId();
  const myId = useMyId();
  const client = useQueryClient();
  const shown = presence?.status ?? "online";
  const [status, setStatus] = useState<UserStatus["status"]>(shown === "offline" ? "online" : shown);
  const [words, setWords] = useState(presence?.custom_status ?? "");
  const [emoji, setEmoji] = useState(presence?.emoji ?? "");
  const end = endOf(presence);
  const [duration, setDuration] = useState<Duration>(end === undefined ? "always" : "kept");
  const save = useMutation({
    mutationFn: (body: UserStatus) => updateStatus(myId, body),
    onSuccess: (own) => {
      client.setQueryData<Record<string, Presence>>(keys.presence, (known) => ({ ...known, [myId]: own }));
      onClose();
    },
    onError: (error) => notify(errorText(error), "error"),
  });
  const choices = [
    ["online", t("settings.statusOnline")],
    ["away", t("settings.statusAway")],
    ["dnd", t("settings.statusDnd")],
  ] as const;
  const kept: [Duration, string][] =
    end === undefined
      ? []
      : [["kept", t("settings.statusKept", { time: formatFull(new Date(end), i18n.language) })]];
  const spans: [Duration, string][] = [
    ["always", t("settings.statusAlways")],
    ...kept,
    ...durations.map((minutes): [Duration, string] => [
      minutes,
      minutes < 60
        ? t("settings.statusMinutes", { count: minutes })
        : t("settings.statusHours", { count: minutes / 60 }),
    ]),
  ];
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" aria-labelledby={titleId}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(statusBody({ status, words, emoji, duration }, presence, new Date()));
        }}
      >
        <DialogTitle id={titleId}>{t("settings.status")}</DialogTitle>
        <DialogContent>
          <RadioGroup row aria-labelledby={titleId} value={status}>
            {choices.map(([value, label]) => (
              <FormControlLabel
                key={value}
                value={value}
                label={label}
                control={<Radio size="small" onChange={() => setStatus(value)} />}
              />
            ))}
          </RadioGroup>
          <TextField
            autoFocus
            fullWidth
            margin="dense"
            label={t("settings.customStatus")}
            value={words}
            onChange={(event) => setWords(event.target.value)}
            slotProps={{ htmlInput: { maxLength: 100 } }}
          />
          <Box sx={{ display: "flex", gap: 1 }}>
            <TextField
              margin="dense"
              label={t("settings.statusEmoji")}
              value={emoji}
              onChange={(event) => setEmoji(event.target.value)}
              sx={{ width: 96, flex: "none" }}
            />
            <TextField
              select
              fullWidth
              margin="dense"
              label={t("settings.statusFor")}
              value={duration}
              onChange={(event) => {
                const chosen = spans.find(([span]) => String(span) === event.target.value);
                if (chosen !== undefined) setDuration(chosen[0]);
              }}
              slotProps={{ select: { native: true } }}
            >
              {spans.map(([span, label]) => (
                <option key={span} value={span}>
                  {label}
                </option>
              ))}
            </TextField>
          </Box>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" variant="contained" disabled={save.isPending}>
            {t("common.save")}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
