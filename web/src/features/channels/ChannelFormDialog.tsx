/** Making a channel, and changing one. */

import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import FormControl from "@mui/material/FormControl";
import FormControlLabel from "@mui/material/FormControlLabel";
import FormLabel from "@mui/material/FormLabel";
import Radio from "@mui/material/Radio";
import RadioGroup from "@mui/material/RadioGroup";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Channel, NewChannelKind } from "../../api/types";
import { errorText, fieldTexts } from "../../state/errorText";
import { useCreateChannel, useUpdateChannel } from "./actions";

interface Values {
  name: string;
  topic: string;
  kind: NewChannelKind;
}

interface FormDialogProps {
  title: string;
  action: string;
  initial: Values;
  /** Everyone is in it: it stays public. */
  fixedKind: boolean;
  busy: boolean;
  error: Error | null;
  onSubmit: (values: Values) => void;
  onClose: () => void;
}

export function CreateChannelDialog(props: {
  workspaceId: string;
  onClose: () => void;
  onCreated: (channel: Channel) => void;
}) {
  const { workspaceId, onClose, onCreated } = props;
  const { t } = useTranslation();
  const create = useCreateChannel(onCreated);
  return (
    <FormDialog
      title={t("channels.create")}
      action={t("common.create")}
      initial={{ name: "", topic: "", kind: "public" }}
      fixedKind={false}
      busy={create.isPending}
      error={create.error}
      onSubmit={(values) => create.mutate({ workspace_id: workspaceId, ...values })}
      onClose={onClose}
    />
  );
}

export function EditChannelDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const { t } = useTranslation();
  const update = useUpdateChannel(channel.id, onClose);
  return (
    <FormDialog
      title={t("channels.edit")}
      action={t("common.save")}
      initial={{
        name: channel.name,
        topic: channel.topic,
        kind: channel.kind === "private" ? "private" : "public",
      }}
      fixedKind={channel.is_default}
      busy={update.isPending}
      error={update.error}
      onSubmit={({ name, topic, kind }) =>
        update.mutate({ name, topic, ...(kind === channel.kind ? {} : { kind }) })
      }
      onClose={onClose}
    />
  );
}

function FormDialog(props: FormDialogProps) {
  const { title, action, initial, fixedKind, busy, error, onSubmit, onClose } = props;
  const { t } = useTranslation();
  const titleId = useId();
  const kindId = useId();
  const [name, setName] = useState(initial.name);
  const [topic, setTopic] = useState(initial.topic);
  const [kind, setKind] = useState<NewChannelKind>(initial.kind);
  const fields = error === null ? {} : fieldTexts(error);
  const kinds: [NewChannelKind, string][] = [
    ["public", t("channels.kindPublic")],
    ["private", t("channels.kindPrivate")],
  ];
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" aria-labelledby={titleId}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit({ name: name.trim().replace(/^#+/, ""), topic: topic.trim(), kind });
        }}
      >
        <DialogTitle id={titleId}>{title}</DialogTitle>
        <DialogContent sx={{ display: "flex", flexDirection: "column", gap: 2 }}>
          <TextField
            autoFocus
            required
            margin="dense"
            label={t("channels.name")}
            value={name}
            onChange={(event) => setName(event.target.value)}
            error={fields["name"] !== undefined}
            helperText={fields["name"] ?? t("channels.nameHint")}
            slotProps={{ htmlInput: { maxLength: 80 } }}
          />
          <TextField
            label={t("channels.topic")}
            value={topic}
            onChange={(event) => setTopic(event.target.value)}
            error={fields["topic"] !== undefined}
            helperText={fields["topic"] ?? t("channels.topicHint")}
            slotProps={{ htmlInput: { maxLength: 250 } }}
          />
          {!fixedKind && (
            <FormControl>
              <FormLabel id={kindId}>{t("channels.kind")}</FormLabel>
              <RadioGroup aria-labelledby={kindId} value={kind}>
                {kinds.map(([value, label]) => (
                  <FormControlLabel
                    key={value}
                    value={value}
                    label={label}
                    control={<Radio size="small" onChange={() => setKind(value)} />}
                  />
                ))}
              </RadioGroup>
            </FormControl>
          )}
          {error !== null && Object.keys(fields).length === 0 && (
            <Typography color="error" role="alert">
              {errorText(error)}
            </Typography>
          )}
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" variant="contained" disabled={busy || name.trim() === ""}>
            {action}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
