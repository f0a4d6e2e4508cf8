/** Beside the channel: the workspace, its channels, oneself. */

import AddIcon from "@mui/icons-material/Add";
import TravelExploreIcon from "@mui/icons-material/Search";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import type { Channel } from "../api/types";
import { UserMenu } from "../features/accounts/UserMenu";
import { BrowseDialog } from "../features/channels/BrowseDialog";
import { CreateChannelDialog } from "../features/channels/ChannelFormDialog";
import { ChannelLinks } from "../features/channels/ChannelLinks";
import { NotificationBell } from "../features/notifications/NotificationBell";
import { WorkspaceMenu } from "../features/workspaces/WorkspaceMenu";
import { paths } from "../paths";
import { mayCreateChannel, mayLookAround } from "../state/permissions";
import { entranceOf, useChannels, useWorkspaces } from "../state/places";

/** `channel`: the one that is shown; it tells the workspace. */
export function Sidebar({ channel }: { channel: Channel | undefined }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const workspaces = useWorkspaces();
  const { channels } = useChannels();
  const workspace = workspaces?.find(({ id }) => id === channel?.workspace_id) ?? workspaces?.[0];
  const [dialog, setDialog] = useState<"create" | "browse">();
  const go = (to: Channel) => {
    setDialog(undefined);
    void navigate(paths.channel(to.id));
  };
  return (
    <Box sx={{ height: "100%", display: "flex", flexDirection: "column" }}>
      <Box sx={{ flex: "none", display: "flex", borderBottom: 1, borderColor: "divider", pr: 1 }}>
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <WorkspaceMenu
            workspace={workspace}
            onChosen={(chosen) => void navigate(paths.channel(entranceOf(chosen, channels)))}
          />
        </Box>
        <NotificationBell
          onChosen={({ channelId, messageId, replyId }) =>
            void navigate(paths.channel(channelId), { state: { messageId, replyId } })
          }
        />
      </Box>
      <Box sx={{ flex: 1, minHeight: 0, overflowY: "auto", py: 1 }}>
        {workspace !== undefined && <ChannelLinks workspaceId={workspace.id} currentId={channel?.id} />}
        {workspace !== undefined && (
          <Box sx={{ display: "flex", flexDirection: "column", alignItems: "stretch", px: 1, py: 1 }}>
            {mayLookAround(workspace.role) && (
              <Button
                color="inherit"
                size="small"
                startIcon={<TravelExploreIcon />}
                sx={{ justifyContent: "flex-start" }}
                onClick={() => setDialog("browse")}
              >
                {t("channels.browse")}
              </Button>
            )}
            {mayCreateChannel(workspace.role) && (
              <Button
                color="inherit"
                size="small"
                startIcon={<AddIcon />}
                sx={{ justifyContent: "flex-start" }}
                onClick={() => setDialog("create")}
              >
                {t("channels.create")}
              </Button>
            )}
          </Box>
        )}
      </Box>
      <Box sx={{ flex: "none" }}>
        <UserMenu />
      </Box>
      {workspace !== undefined && dialog === "create" && (
        <CreateChannelDialog workspaceId={workspace.id} onClose={() => setDialog(undefined)} onCreated={go} />
      )}
      {workspace !== undefined && dialog === "browse" && (
        <BrowseDialog
          workspaceId={workspace.id}
          onClose={() => setDialog(undefined)}
          onJoined={go}
          onLook={go}
        />
      )}
    </Box>
  );
}
