/** Where one is signed in, and ending what one does not know. */

import Button from "@mui/material/Button";
import CircularProgress from "@mui/material/CircularProgress";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import List from "@mui/material/List";
import ListItem from "@mui/material/ListItem";
import ListItemText from "@mui/material/ListItemText";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { sessionsQuery } from "../../api/queries";
import type { Session } from "../../api/types";
import { formatFull } from "../../lib/dates";
import { errorText } from "../../state/errorText";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { useEndSessions } from "./actions";
import { deviceOf } from "./device";

export function SessionsDialog({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const titleId = useId();
  const { data, error } = useQuery(sessionsQuery);
  const end = useEndSessions();
  const [ending, setEnding] = useState<readonly string[]>();
  const others = (data ?? []).filter((session) => !session.current).map((session) => session.id);

  const nameOf = ({ user_agent }: Session) => {
    const device = deviceOf(user_agent);
    return device === undefined ? t("sessions.unknown") : t("sessions.device", { ...device });
  };
  const time = (text: string) => formatFull(new Date(text), i18n.language);

  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="sm" aria-labelledby={titleId}>
      <DialogTitle id={titleId}>{t("sessions.title")}</DialogTitle>
      <DialogContent>
        {error !== null && <Typography role="alert">{errorText(error)}</Typography>}
        {data === undefined && error === null && <CircularProgress aria-label={t("app.loading")} />}
        <List>
          {data?.map((session) => (
            <ListItem
              key={session.id}
              disableGutters
              secondaryAction={
                session.current ? (
                  <Typography variant="body2" color="success">
                    {t("sessions.current")}
                  </Typography>
                ) : (
                  <Button size="small" color="error" onClick={() => setEnding([session.id])}>
                    {t("sessions.end")}
                  </Button>
                )
              }
            >
              <ListItemText
                sx={{ pr: 12 }}
                primary={nameOf(session)}
                secondary={`${session.address} · ${t("sessions.lastUsed", { time: time(session.last_used_at) })}`}
              />
            </ListItem>
          ))}
        </List>
      </DialogContent>
      <DialogActions>
        {others.length > 1 && (
          <Button color="error" onClick={() => setEnding(others)}>
            {t("sessions.endOthers")}
          </Button>
        )}
        <Button onClick={onClose}>{t("common.close")}</Button>
      </DialogActions>
      <ConfirmDialog
        open={ending !== undefined}
        title={t("sessions.endTitle")}
        body={t("sessions.endBody")}
        confirmLabel={t("sessions.end")}
        danger
        busy={end.isPending}
        onCancel={() => setEnding(undefined)}
        onConfirm={() => end.mutate(ending ?? [], { onSettled: () => setEnding(undefined) })}
      />
    </Dialog>
  );
}
