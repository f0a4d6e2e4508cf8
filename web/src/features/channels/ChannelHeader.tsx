/** The line above the messages: where one is, who else is there, what can be done with the channel. */

import GroupIcon from "@mui/icons-material/GroupOutlined";
import LockIcon from "@mui/icons-material/LockOutlined";
import MoreVertIcon from "@mui/icons-material/MoreVert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import IconButton from "@mui/material/IconButton";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Channel } from "../../api/types";
import { useMyId } from "../../state/context";
import { nameOf } from "../../state/names";
import { mayInvite, mayLinkGuests, mayManage } from "../../state/permissions";
import { useRole } from "../../state/places";
import type { ChannelDialog } from "./dialogs";

export interface ChannelHeaderProps {
  channel: Channel;
  membersOpen: boolean;
  onToggleMembers: () => void;
  onDialog: (dialog: ChannelDialog) => void;
}

export function ChannelHeader({ channel, membersOpen, onToggleMembers, onDialog }: ChannelHeaderProps) {
  const { t } = useTranslation();
  const myId = useMyId();
  const role = useRole(channel.workspace_id);
  const [anchor, setAnchor] = useState<HTMLElement>();

  const manages = mayManage(role, channel, myId);
  const offered: [ChannelDialog, string, boolean][] = [
    ["notifications", t("notifications.title"), channel.joined === true],
    ["invite", t("members.invite"), mayInvite(role, channel) && !channel.is_default],
    ["guestLinks", t("guestLinks.title"), mayLinkGuests(role, channel)],
    ["edit", t("channels.edit"), manages],
    ["leave", t("channels.leave"), channel.joined === true && !channel.is_default && channel.kind !== "dm"],
    ["delete", t("channels.delete"), manages && !channel.is_default],
  ];
  const items = offered.filter(([, , allowed]) => allowed);

  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 1, minWidth: 0 }}>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Typography
          component="h1"
          variant="h2"
          noWrap
          sx={{ display: "flex", alignItems: "center", gap: 0.5, lineHeight: 1.4 }}
        >
          {channel.kind === "private" && <LockIcon fontSize="small" titleAccess={t("channels.isPrivate")} />}
          {channel.kind === "public" && (
            <Box component="span" aria-hidden sx={{ color: "text.secondary" }}>
              #
            </Box>
          )}
          {nameOf(channel, myId)}
        </Typography>
        {channel.topic !== "" && (
          <Typography variant="body2" color="textSecondary" noWrap title={channel.topic}>
            {channel.topic}
          </Typography>
        )}
      </Box>
      <Button
        color="inherit"
        size="small"
        startIcon={<GroupIcon />}
        onClick={onToggleMembers}
        aria-expanded={membersOpen}
        aria-label={t("members.count", { count: channel.member_count })}
      >
        {channel.member_count}
      </Button>
      {items.length > 0 && (
        <>
          <IconButton
            aria-label={t("channels.settings")}
            aria-haspopup="menu"
            onClick={(event) => setAnchor(event.currentTarget)}
            sx={{ mr: -1 }} // No further than the least padding of the header.
          >
            <MoreVertIcon />
          </IconButton>
          <Menu open={anchor !== undefined} anchorEl={anchor ?? null} onClose={() => setAnchor(undefined)}>
            {items.map(([dialog, label]) => (
              <MenuItem
                key={dialog}
                onClick={() => {
                  setAnchor(undefined);
                  onDialog(dialog);
                }}
              >
                {label}
              </MenuItem>
            ))}
          </Menu>
        </>
      )}
    </Box>
  );
}
