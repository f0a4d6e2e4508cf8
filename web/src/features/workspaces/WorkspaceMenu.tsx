/** Which workspace one is in, changing it, and what can be done with it. */

import ExpandMoreIcon from "@mui/icons-material/ExpandMore";
import Button from "@mui/material/Button";
import Divider from "@mui/material/Divider";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Workspace } from "../../api/types";
import { mayKeepWorkspace, mayLookAround } from "../../state/permissions";
import { useMe, useWorkspaces } from "../../state/places";
import { EmojiDialog } from "./EmojiDialog";
import { CreateWorkspaceDialog, EditWorkspaceDialog } from "./WorkspaceFormDialog";
import { WorkspaceMembersDialog } from "./WorkspaceMembersDialog";

export interface WorkspaceMenuProps {
  workspace: Workspace | undefined;
  onChosen: (workspace: Workspace) => void;
}

export function WorkspaceMenu({ workspace, onChosen }: WorkspaceMenuProps) {
  const { t } = useTranslation();
  const workspaces = useWorkspaces() ?? [];
  const me = useMe();
  const [anchor, setAnchor] = useState<HTMLElement>();
  const [dialog, setDialog] = useState<"create" | "edit" | "members" | "emoji">();
  const close = () => setAnchor(undefined);
  const open = (which: typeof dialog) => {
    close();
    setDialog(which);
  };
  const shut = () => setDialog(undefined);
  return (
    <>
      <Button
        color="inherit"
        fullWidth
        endIcon={<ExpandMoreIcon />}
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
        sx={{ justifyContent: "space-between", px: 2, minHeight: 56, borderRadius: 0, fontSize: "1rem" }}
      >
        {workspace?.name ?? t("app.name")}
      </Button>
      <Menu open={anchor !== undefined} anchorEl={anchor ?? null} onClose={close}>
        {workspaces.map((each) => (
          <MenuItem
            key={each.id}
            role="menuitemradio"
            aria-checked={each.id === workspace?.id}
            selected={each.id === workspace?.id}
            onClick={() => {
              close();
              onChosen(each);
            }}
          >
            {each.name}
          </MenuItem>
        ))}
        <Divider />
        {workspace !== undefined && mayLookAround(workspace.role) && (
          <MenuItem onClick={() => open("members")}>{t("members.members")}</MenuItem>
        )}
        {workspace !== undefined && <MenuItem onClick={() => open("emoji")}>{t("emoji.title")}</MenuItem>}
        {workspace !== undefined && mayKeepWorkspace(workspace.role) && (
          <MenuItem onClick={() => open("edit")}>{t("workspaces.edit")}</MenuItem>
        )}
        {me?.guest === false && <MenuItem onClick={() => open("create")}>{t("workspaces.create")}</MenuItem>}
      </Menu>
      {dialog === "create" && (
        <CreateWorkspaceDialog
          onClose={shut}
          onCreated={(made) => {
            shut();
            onChosen(made);
          }}
        />
      )}
      {dialog === "edit" && workspace !== undefined && (
        <EditWorkspaceDialog workspace={workspace} onClose={shut} />
      )}
      {dialog === "emoji" && workspace !== undefined && <EmojiDialog workspace={workspace} onClose={shut} />}
      {dialog === "members" && workspace !== undefined && (
        <WorkspaceMembersDialog workspace={workspace} onClose={shut} />
      )}
    </>
  );
}
