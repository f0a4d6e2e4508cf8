/** Asks before something that cannot be undone, or not easily. */
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogContentText from "@mui/material/DialogContentText";
import DialogTitle from "@mui/material/DialogTitle";
import { useId } from "react";
import { useTranslation } from "react-i18next";

/** What is asked. */
export interface ConfirmDialogProps {
  open: boolean;
  title: string;
  body?: string;
  /** On the button that does it: a verb. */
  confirmLabel: string;
  /** Whether something is lost by it. */
  danger?: boolean;
  busy?: boolean;
  onConfirm: () => void;
  onCancel: () => void;
}

/** A question with two answers; Esc is no. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { open, title, body, confirmLabel, danger = false, busy = false, onConfirm, onCancel } = props;
  const { t } = useTranslation();
  const titleId = useId();
  const bodyId = useId();
  return (
    <Dialog open={open} onClose={onCancel} aria-labelledby={titleId} aria-describedby={bodyId} maxWidth="xs">
      <DialogTitle id={titleId}>{title}</DialogTitle>
      {body !== undefined && (
        <DialogContent>
          <DialogContentText id={bodyId}>{body}</DialogContentText>
        </DialogContent>
      )}
      <DialogActions>
        <Button onClick={onCancel} autoFocus>
          {t("common.cancel")}
        </Button>
        <Button variant="contained" color={danger ? "error" : "primary"} disabled={busy} onClick={onConfirm}>
          {confirmLabel}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
