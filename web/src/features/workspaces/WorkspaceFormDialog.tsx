/** Making a workspace, and changing one. */

import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import FormControlLabel from "@mui/material/FormControlLabel";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Workspace } from "../../api/types";
import { errorText, fieldTexts } from "../../state/errorText";
import { useCreateWorkspace, useUpdateWorkspace } from "./actions";

interface Values {
  name: string;
  allow_guests: boolean;
  /** Only the first workspaces of a server are open; a new one is not. */
  open?: boolean;
}

interface FormDialogProps {
  title: string;
  action: string;
  initial: Values;
  busy: boolean;
  error: Error | null;
  onSubmit: (values: Values) => void;
  onClose: () => void;
}

export function CreateWorkspaceDialog(props: {
  onClose: () => void;
  onCreated: (workspace: Workspace) => void;
}) {
  const { t } = useTranslation();
  const create = useCreateWorkspace(props.onCreated);
  return (
    <FormDialog
      title={t("workspaces.create")}
      action={t("common.create")}
      initial={{ name: "", allow_guests: false }}
      busy={create.isPending}
      error={create.error}
      onSubmit={create.mutate}
      onClose={props.onClose}
    />
  );
}

export function EditWorkspaceDialog({ workspace, onClose }: { workspace: Workspace; onClose: () => void }) {
  const { t } = useTranslation();
  const update = useUpdateWorkspace(workspace.id, onClose);
  const { name, allow_guests, open } = workspace;
  return (
    <FormDialog
      title={t("workspaces.edit")}
      action={t("common.save")}
      initial={{ name, allow_guests, open }}
      busy={update.isPending}
      error={update.error}
      onSubmit={update.mutate}
      onClose={onClose}
    />
  );
}

function FormDialog({ title, action, initial, busy, error, onSubmit, onClose }: FormDialogProps) {
  const { t } = useTranslation();
  const titleId = useId();
  const [values, setValues] = useState(initial);
  const fields = error === null ? {} : fieldTexts(error);
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" aria-labelledby={titleId}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit({ ...values, name: values.name.trim() });
        }}
      >
        <DialogTitle id={titleId}>{title}</DialogTitle>
        <DialogContent sx={{ display: "flex", flexDirection: "column" }}>
          <TextField
            autoFocus
            required
            margin="dense"
            label={t("workspaces.name")}
            value={values.name}
            onChange={(event) => setValues({ ...values, name: event.target.value })}
            error={fields["name"] !== undefined}
            helperText={fields["name"]}
            slotProps={{ htmlInput: { maxLength: 80 } }}
          />
          <FormControlLabel
            label={t("workspaces.allowGuests")}
            control={
              <Checkbox
                checked={values.allow_guests}
                onChange={(event) => setValues({ ...values, allow_guests: event.target.checked })}
              />
            }
          />
          {values.open !== undefined && (
            <FormControlLabel
              label={t("workspaces.open")}
              control={
                <Checkbox
                  checked={values.open}
                  onChange={(event) => setValues({ ...values, open: event.target.checked })}
                />
              }
            />
          )}
          {error !== null && Object.keys(fields).length === 0 && (
            <Typography color="error" role="alert">
              {errorText(error)}
            </Typography>
          )}
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" variant="contained" disabled={busy || values.name.trim() === ""}>
            {action}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
