/** The emoji of a workspace: those there are, adding one, deleting one. */

import DeleteOutlinedIcon from "@mui/icons-material/DeleteOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import CircularProgress from "@mui/material/CircularProgress";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import IconButton from "@mui/material/IconButton";
import List from "@mui/material/List";
import ListItem from "@mui/material/ListItem";
import ListItemIcon from "@mui/material/ListItemIcon";
import ListItemText from "@mui/material/ListItemText";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { emojiQuery } from "../../api/queries";
import type { Workspace } from "../../api/types";
import { useMyId } from "../../state/context";
import { useEmojiOf } from "../../state/emoji";
import { errorText, fieldTexts } from "../../state/errorText";
import { notify } from "../../state/notices";
import { mayAddEmoji, mayDeleteEmoji } from "../../state/permissions";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CustomEmoji, EmojiContext } from "../../ui/CustomEmoji";
import { useAddEmoji, useDeleteEmoji } from "./actions";

export function EmojiDialog({ workspace, onClose }: { workspace: Workspace; onClose: () => void }) {
  const { t } = useTranslation();
  const titleId = useId();
  const myId = useMyId();
  const query = useQuery(emojiQuery(workspace.id));
  const known = useEmojiOf(workspace.id);
  const remove = useDeleteEmoji(workspace.id);
  const [deleting, setDeleting] = useState<string>();
  const emoji = query.data?.items ?? [];
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="sm" aria-labelledby={titleId}>
      <DialogTitle id={titleId}>
        {t("emoji.title")} · {workspace.name}
      </DialogTitle>
      <DialogContent>
        {mayAddEmoji(workspace.role) && <AddForm workspaceId={workspace.id} />}
        {query.isPending && (
          <CircularProgress aria-label={t("app.loading")} sx={{ display: "block", mx: "auto", my: 2 }} />
        )}
        {query.isSuccess && emoji.length === 0 && (
          <Typography color="textSecondary" sx={{ py: 2 }}>
            {t("emoji.none")}
          </Typography>
        )}
        <EmojiContext value={known}>
          <List dense>
            {emoji.map(({ name, created_by }) => (
              <ListItem
                key={name}
                disableGutters
                secondaryAction={
                  mayDeleteEmoji(workspace.role, created_by === myId) && (
                    <IconButton
                      edge="end"
                      aria-label={t("emoji.delete", { name })}
                      onClick={() => setDeleting(name)}
                    >
                      <DeleteOutlinedIcon fontSize="small" />
                    </IconButton>
                  )
                }
              >
                <ListItemIcon sx={{ minWidth: 56 }}>
                  <CustomEmoji name={name} />
                </ListItemIcon>
                <ListItemText primary={`:${name}:`} />
              </ListItem>
            ))}
          </List>
        </EmojiContext>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t("common.close")}</Button>
      </DialogActions>
      <ConfirmDialog
        open={deleting !== undefined}
        title={t("emoji.deleteTitle", { name: deleting ?? "" })}
        body={t("emoji.deleteBody")}
        confirmLabel={t("messages.delete")}
        danger
        busy={remove.isPending}
        onCancel={() => setDeleting(undefined)}
        onConfirm={() => {
          if (deleting !== undefined) remove.mutate(deleting, { onSettled: () => setDeleting(undefined) });
        }}
      />
    </Dialog>
  );
}

function AddForm({ workspaceId }: { workspaceId: string }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [file, setFile] = useState<File>();
  const chooser = useRef<HTMLInputElement>(null);
  const add = useAddEmoji(workspaceId, (added) => {
    setName("");
    setFile(undefined);
    notify(t("emoji.added", { name: `:${added}:` }), "success");
  });
  // Its rules are not those of other names.
  const wrongName = add.error !== null && "name" in fieldTexts(add.error);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (file !== undefined) add.mutate({ name: name.trim().replaceAll(":", ""), file });
      }}
      style={{ display: "flex", alignItems: "baseline", flexWrap: "wrap", gap: 8 }}
    >
      <Button variant="outlined" size="small" onClick={() => chooser.current?.click()} sx={{ maxWidth: 200 }}>
        <Box component="span" sx={{ overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>
          {file?.name ?? t("emoji.choose")}
        </Box>
      </Button>
      <input
        ref={chooser}
        type="file"
        hidden
        accept="image/png,image/gif,image/jpeg,image/webp"
        aria-label={t("emoji.choose")}
        onChange={(event) => {
          const [chosen] = event.target.files ?? [];
          // The same file can be chosen again.
          event.target.value = "";
          if (chosen !== undefined) setFile(chosen);
        }}
      />
      <TextField
        sx={{ flex: 1, minWidth: 180 }}
        margin="dense"
        size="small"
        label={t("emoji.name")}
        value={name}
        onChange={(event) => setName(event.target.value)}
        error={add.error !== null}
        helperText={add.error === null || wrongName ? t("emoji.nameHint") : errorText(add.error)}
      />
      <Button
        type="submit"
        sx={{ ml: "auto" }}
        disabled={add.isPending || name.trim() === "" || file === undefined}
      >
        {t("emoji.add")}
      </Button>
    </form>
  );
}
