/** For whoever is in no workspace yet. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { CreateWorkspaceDialog } from "../features/workspaces/WorkspaceFormDialog";
import { paths } from "../paths";
import { useMe } from "../state/places";
import { AppShell } from "../ui/AppShell";
import { Sidebar } from "./Sidebar";

export function NoWorkspace() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const me = useMe();
  const [creating, setCreating] = useState(false);
  return (
    <AppShell place="none" sidebar={<Sidebar channel={undefined} />} header={null}>
      <Box sx={{ flex: 1, display: "grid", placeContent: "center", textAlign: "center", gap: 2, p: 2 }}>
        <Typography>{t("workspaces.none")}</Typography>
        <Typography color="textSecondary">{t("workspaces.noneHint")}</Typography>
        {me?.guest === false && (
          <Button variant="contained" onClick={() => setCreating(true)}>
            {t("workspaces.create")}
          </Button>
        )}
      </Box>
      {creating && (
        <CreateWorkspaceDialog
          onClose={() => setCreating(false)}
          onCreated={(workspace) => void navigate(paths.channel(workspace.default_channel_id))}
        />
      )}
    </AppShell>
  );
}
