/** Who is in the channel, those who are there first; inviting and putting out. */

import MoreHorizIcon from "@mui/icons-material/MoreHoriz";
import PersonAddIcon from "@mui/icons-material/PersonAddAlt";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import IconButton from "@mui/material/IconButton";
import List from "@mui/material/List";
import ListItem from "@mui/material/ListItem";
import ListItemText from "@mui/material/ListItemText";
import ListSubheader from "@mui/material/ListSubheader";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import Typography from "@mui/material/Typography";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { channelMembersQuery } from "../../api/queries";
import type { Channel, Member, Presence } from "../../api/types";
import { useMyId } from "../../state/context";
import { mayInvite, mayManage, mayOpenDirect } from "../../state/permissions";
import { useRole } from "../../state/places";
import { useCounted, usePresence, useWatchedRow } from "../../state/presence";
import { statusText } from "../../state/status";
import { Avatar } from "../../ui/Avatar";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { useOpenDirect, useRemoveFromChannel } from "./actions";

export interface MembersAsideProps {
  channel: Channel;
  onInvite: () => void;
  /** A direct message was opened. */
  onOpened: (channel: Channel) => void;
}

export function MembersAside({ channel, onInvite, onOpened }: MembersAsideProps) {
  const { t, i18n } = useTranslation();
  const myId = useMyId();
  const role = useRole(channel.workspace_id);
  const presence = usePresence();
  const counted = useCounted(channel.workspace_id);
  const query = useInfiniteQuery(channelMembersQuery(channel.id));
  const [menu, setMenu] = useState<{ anchor: HTMLElement; member: Member }>();
  const [removing, setRemoving] = useState<Member>();
  const remove = useRemoveFromChannel(channel.id, () => setRemoving(undefined));
  const open = useOpenDirect(channel.workspace_id, onOpened);

  const members = (query.data ?? []).toSorted((a, b) =>
    a.user.display_name.localeCompare(b.user.display_name, i18n.language),
  );
  const isThere = (member: Member) => (presence[member.user.id]?.status ?? "offline") !== "offline";
  // Who is there is known of those on the screen only: sorting by it would move them off.
  const groups =
    counted === undefined
      ? [
          { label: t("members.online"), members: members.filter(isThere) },
          { label: t("members.offline"), members: members.filter((member) => !isThere(member)) },
        ]
      : [{ label: t("members.members"), members }];
  const mayRemove = mayManage(role, channel, myId) && !channel.is_default;
  const mayWrite = mayOpenDirect(role);

  return (
    <Box sx={{ py: 2 }}>
      <Box sx={{ display: "flex", alignItems: "center", px: 2, gap: 1 }}>
        <Typography component="h2" variant="h3" sx={{ flex: 1 }}>
          {t("members.count", { count: channel.member_count })}
        </Typography>
        {mayInvite(role, channel) && !channel.is_default && (
          <Button size="small" startIcon={<PersonAddIcon />} onClick={onInvite}>
            {t("members.invite")}
          </Button>
        )}
      </Box>
      {counted !== undefined && (
        <Typography variant="body2" color="text.secondary" sx={{ px: 2 }}>
          {t("members.there", { count: counted })}
        </Typography>
      )}
      {groups.map(
        (group) =>
          group.members.length > 0 && (
            <List
              key={group.label}
              dense
              subheader={
                <ListSubheader component="h3" disableSticky sx={{ bgcolor: "transparent", lineHeight: 2.5 }}>
                  {group.label} — {group.members.length}
                </ListSubheader>
              }
            >
              {group.members.map((member) => (
                <ListItem
                  key={member.user.id}
                  secondaryAction={
                    (mayRemove || mayWrite) &&
                    member.user.id !== myId && (
                      <IconButton
                        edge="end"
                        size="small"
                        aria-label={t("members.actions", { name: member.user.display_name })}
                        onClick={(event) => setMenu({ anchor: event.currentTarget, member })}
                      >
                        <MoreHorizIcon fontSize="small" />
                      </IconButton>
                    )
                  }
                >
                  <MemberName
                    member={member}
                    presence={presence[member.user.id]}
                    mine={member.user.id === myId}
                    counted={counted !== undefined}
                  />
                </ListItem>
              ))}
            </List>
          ),
      )}
      {query.hasNextPage && (
        <Button
          fullWidth
          size="small"
          disabled={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {t("common.more")}
        </Button>
      )}
      <Menu open={menu !== undefined} anchorEl={menu?.anchor ?? null} onClose={() => setMenu(undefined)}>
        {mayWrite && (
          <MenuItem
            onClick={() => {
              if (menu !== undefined) open.mutate(menu.member.user.id);
              setMenu(undefined);
            }}
          >
            {t("members.write")}
          </MenuItem>
        )}
        {mayRemove && (
          <MenuItem
            onClick={() => {
              setRemoving(menu?.member);
              setMenu(undefined);
            }}
          >
            {t("members.remove")}
          </MenuItem>
        )}
      </Menu>
      <ConfirmDialog
        open={removing !== undefined}
        title={t("members.removeTitle", { name: removing?.user.display_name ?? "" })}
        body={t("members.removeBody")}
        confirmLabel={t("members.remove")}
        danger
        busy={remove.isPending}
        onCancel={() => setRemoving(undefined)}
        onConfirm={() => {
          if (removing !== undefined) remove.mutate(removing.user.id);
        }}
      />
    </Box>
  );
}

function MemberName(props: {
  member: Member;
  presence: Presence | undefined;
  mine: boolean;
  counted: boolean;
}) {
  const { member, presence, mine, counted } = props;
  const { t } = useTranslation();
  const { user, role } = member;
  const row = useWatchedRow<HTMLDivElement>(user.id, counted);
  const marks = [
    mine ? t("common.you") : "",
    role === "member" ? "" : t(`members.roles.${role}`),
    statusText(presence),
  ].filter((mark) => mark !== "");
  return (
    <>
      <Avatar
        id={user.id}
        name={user.display_name}
        url={user.avatar_url}
        size={28}
        status={presence?.status ?? "offline"}
      />
      <ListItemText
        ref={row}
        sx={{ ml: 1.5, minWidth: 0 }}
        primary={user.display_name}
        secondary={marks.join(" · ")}
        slotProps={{ primary: { noWrap: true }, secondary: { noWrap: true } }}
      />
    </>
  );
}
