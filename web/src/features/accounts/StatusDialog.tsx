/** What one says of oneself: there or away, and a few words. */

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
import type { Presence, UpdateStatus } from "../../api/types";
import { useMyId } from "../../state/context";
import { errorText } from "../../state/errorText";
import { notify } from "../../state/notices";

export function StatusDialog({ presence, onClose }: { presence: Presence | undefined; onClose: () => void }) {
  const { t } = useTranslation();
  const titleId = useId();
  const myId = useMyId();
  const client = useQueryClient();
  const [status, setStatus] = useState<UpdateStatus["status"]>(
    presence?.status === "away" ? "away" : "online",
  );
  const [words, setWords] = useState(presence?.custom_status ?? "");
  const save = useMutation({
    mutationFn: (body: UpdateStatus) => updateStatus(myId, body),
    onSuccess: (own) => {
      client.setQueryData<Record<string, Presence>>(keys.presence, (known) => ({ ...known, [myId]: own }));
      onClose();
    },
    onError: (error) => notify(errorText(error), "error"),
  });
  const choices = [
    ["online", t("settings.statusOnline")],
    ["away", t("settings.statusAway")],
  ] as const;
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" aria-labelledby={titleId}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const custom_status = words.trim();
          save.mutate({ status, ...(custom_status === "" ? {} : { custom_status }) });
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
