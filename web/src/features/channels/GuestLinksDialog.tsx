/** Links that let people into this channel alone, for a time: making, copying and ending them. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogContentText from "@mui/material/DialogContentText";
import DialogTitle from "@mui/material/DialogTitle";
import List from "@mui/material/List";
import ListItem from "@mui/material/ListItem";
import ListItemText from "@mui/material/ListItemText";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { guestLinksQuery } from "../../api/queries";
import type { Channel } from "../../api/types";
import { copyText } from "../../lib/clipboard";
import { formatFull } from "../../lib/dates";
import { paths } from "../../paths";
import { errorText } from "../../state/errorText";
import { notify } from "../../state/notices";
import { useCreateGuestLink, useEndGuestLink } from "./actions";

const HOUR = 60 * 60 * 1_000;
const durations = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR, month: 30 * 24 * HOUR } as const;
type Duration = keyof typeof durations;
const choices: readonly Duration[] = ["hour", "day", "week", "month"];
/** How often a link can be used; 0: as often as one likes. */
const uses = [0, 1, 10, 100] as const;

export function GuestLinksDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const titleId = useId();
  const [duration, setDuration] = useState<Duration>("day");
  const [most, setMost] = useState(0);
  const { data: links } = useQuery(guestLinksQuery(channel.workspace_id, channel.id));
  const create = useCreateGuestLink(channel);
  const end = useEndGuestLink(channel);
  const code = create.data?.code;
  const address = code === undefined ? undefined : window.location.origin + paths.invite(code);
  const copy = async (text: string) => {
    if (await copyText(text)) notify(t("guestLinks.copied"), "success");
  };
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" aria-labelledby={titleId}>
      <DialogTitle id={titleId}>{t("guestLinks.of", { name: channel.name })}</DialogTitle>
      <DialogContent>
        <DialogContentText sx={{ mb: 2 }}>{t("guestLinks.hint")}</DialogContentText>
        <Box sx={{ display: "flex", flexWrap: { xs: "wrap", sm: "nowrap" }, gap: 1, alignItems: "center" }}>
          <TextField
            select
            fullWidth
            size="small"
            label={t("guestLinks.duration")}
            value={duration}
            onChange={({ target }) => setDuration(choices.find((each) => each === target.value) ?? "day")}
          >
            {choices.map((each) => (
              <MenuItem key={each} value={each}>
                {t(`guestLinks.durations.${each}`)}
              </MenuItem>
            ))}
          </TextField>
          <TextField
            select
            fullWidth
            size="small"
            label={t("guestLinks.often.label")}
            value={most}
            onChange={({ target }) => setMost(Number(target.value))}
          >
            {uses.map((count) => (
              <MenuItem key={count} value={count}>
                {count === 0 ? t("guestLinks.often.always") : t("guestLinks.often.times", { count })}
              </MenuItem>
            ))}
          </TextField>
          <Button
            variant="contained"
            sx={{ flex: "none" }}
            disabled={create.isPending}
            onClick={() => create.mutate({ ms: durations[duration], uses: most === 0 ? undefined : most })}
          >
            {t("guestLinks.make")}
          </Button>
        </Box>
        {create.error !== null && (
          <Typography color="error" role="alert" sx={{ mt: 1 }}>
            {errorText(create.error)}
          </Typography>
        )}
        {address !== undefined && (
          <Box sx={{ display: "flex", gap: 1, alignItems: "flex-start", mt: 2 }}>
            <TextField
              fullWidth
              size="small"
              label={t("guestLinks.link")}
              value={address}
              helperText={t("guestLinks.once")}
              onFocus={(event) => event.target.select()}
              slotProps={{ htmlInput: { readOnly: true } }}
            />
            <Button onClick={() => void copy(address)}>{t("guestLinks.copy")}</Button>
          </Box>
        )}
        <List dense>
          {links?.map(({ id, access_until, uses: used, max_uses }) => {
            const time = access_until === undefined ? "" : formatFull(new Date(access_until), i18n.language);
            return (
              <ListItem key={id} disableGutters>
                <ListItemText
                  primary={t("guestLinks.until", { time })}
                  secondary={
                    typeof max_uses === "number"
                      ? t("guestLinks.uses.of", { used, most: max_uses })
                      : t("guestLinks.uses.any", { count: used })
                  }
                />
                <Button
                  size="small"
                  color="error"
                  disabled={end.isPending}
                  aria-label={t("guestLinks.endLabel", { time })}
                  onClick={() => end.mutate(id)}
                >
                  {t("guestLinks.end")}
                </Button>
              </ListItem>
            );
          })}
        </List>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t("common.close")}</Button>
      </DialogActions>
    </Dialog>
  );
}
