/** How one shows to others: picture, name, a few words about oneself, time zone. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { User } from "../../api/types";
import { fieldTexts } from "../../state/errorText";
import { profileChanges } from "../../state/profiles";
import { Avatar } from "../../ui/Avatar";
import { useRemoveAvatar, useSetAvatar, useUpdateProfile } from "./actions";

/** What the server reads as a picture. */
const PICTURES = "image/jpeg,image/png,image/gif,image/webp";

export function ProfileDialog({ me, onClose }: { me: User; onClose: () => void }) {
  const { t } = useTranslation();
  const titleId = useId();
  const zonesId = useId();
  const file = useRef<HTMLInputElement>(null);
  const [name, setName] = useState(me.display_name);
  const [about, setAbout] = useState(me.about ?? "");
  const [zone, setZone] = useState(me.time_zone ?? "");
  const save = useUpdateProfile(me.id, onClose);
  const setAvatar = useSetAvatar(me.id);
  const removeAvatar = useRemoveAvatar(me.id);
  const wrong = save.error === null ? {} : fieldTexts(save.error);
  const busy = setAvatar.isPending || removeAvatar.isPending;
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" aria-labelledby={titleId}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const changes = profileChanges(me, { display_name: name, about, time_zone: zone });
          if (changes === undefined) onClose();
          else save.mutate(changes);
        }}
      >
        <DialogTitle id={titleId}>{t("settings.profile")}</DialogTitle>
        <DialogContent>
          <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 2, mb: 1 }}>
            <Avatar id={me.id} name={me.display_name} url={me.avatar_url} size={72} />
            <Box sx={{ flex: 1, minWidth: 180 }}>
              <Button size="small" disabled={busy} onClick={() => file.current?.click()}>
                {t("settings.pictureChoose")}
              </Button>
              {me.avatar_url !== undefined && (
                <Button size="small" color="error" disabled={busy} onClick={() => removeAvatar.mutate()}>
                  {t("settings.pictureRemove")}
                </Button>
              )}
              <Typography variant="caption" color="textSecondary" component="p">
                {t("settings.pictureHint")}
              </Typography>
            </Box>
            <input
              ref={file}
              type="file"
              hidden
              accept={PICTURES}
              aria-label={t("settings.picture")}
              onChange={(event) => {
                const [chosen] = event.target.files ?? [];
                // The same file can be chosen again.
                event.target.value = "";
                if (chosen !== undefined) setAvatar.mutate(chosen);
              }}
            />
          </Box>
          <TextField
            required
            fullWidth
            margin="dense"
            label={t("settings.displayName")}
            value={name}
            onChange={(event) => setName(event.target.value)}
            error={wrong["display_name"] !== undefined}
            helperText={wrong["display_name"]}
            slotProps={{ htmlInput: { maxLength: 64 } }}
          />
          <TextField
            fullWidth
            multiline
            minRows={2}
            maxRows={6}
            margin="dense"
            label={t("settings.about")}
            value={about}
            onChange={(event) => setAbout(event.target.value)}
            error={wrong["about"] !== undefined}
            helperText={wrong["about"]}
            slotProps={{ htmlInput: { maxLength: 500 } }}
          />
          <TextField
            fullWidth
            margin="dense"
            label={t("settings.timeZone")}
            placeholder={Intl.DateTimeFormat().resolvedOptions().timeZone}
            value={zone}
            onChange={(event) => setZone(event.target.value)}
            error={wrong["time_zone"] !== undefined}
            helperText={wrong["time_zone"]}
            slotProps={{ htmlInput: { list: zonesId, autoComplete: "off" } }}
          />
          <datalist id={zonesId}>
            {Intl.supportedValuesOf("timeZone").map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
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
