/** The dialogs of a channel: at most one is open. */

import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Channel } from "../../api/types";
import { useMyId } from "../../state/context";
import { titleOf } from "../../state/names";
import { notify } from "../../state/notices";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { useDeleteChannel, useLeaveChannel } from "./actions";
import { EditChannelDialog } from "./ChannelFormDialog";
import { GuestLinksDialog } from "./GuestLinksDialog";
import { InviteDialog } from "./InviteDialog";
import { NotificationsDialog } from "./NotificationsDialog";

export type ChannelDialog = "notifications" | "invite" | "guestLinks" | "edit" | "leave" | "delete";

export interface ChannelDialogsProps {
  channel: Channel;
  open: ChannelDialog | undefined;
  onClose: () => void;
  /** One is out of the channel. */
  onGone: () => void;
}

export function ChannelDialogs({ channel, open, onClose, onGone }: ChannelDialogsProps) {
  const { t } = useTranslation();
  const myId = useMyId();
  const gone = () => {
    onClose();
    onGone();
  };
  const leave = useLeaveChannel(channel, gone);
  const remove = useDeleteChannel(channel, () => {
    notify(t("channels.gone", { name: channel.name }));
    gone();
  });
  return (
    <>
      {open === "notifications" && <NotificationsDialog channel={channel} onClose={onClose} />}
      {open === "invite" && <InviteDialog channel={channel} onClose={onClose} />}
      {open === "guestLinks" && <GuestLinksDialog channel={channel} onClose={onClose} />}
      {open === "edit" && <EditChannelDialog channel={channel} onClose={onClose} />}
      <ConfirmDialog
        open={open === "leave"}
        title={t("channels.leaveTitle", { name: titleOf(channel, myId) })}
        body={channel.kind === "public" ? t("channels.leavePublic") : t("channels.leavePrivate")}
        confirmLabel={t("channels.leave")}
        danger={channel.kind !== "public"}
        busy={leave.isPending}
        onCancel={onClose}
        onConfirm={() => leave.mutate()}
      />
      <ConfirmDialog
        open={open === "delete"}
        title={t("channels.deleteTitle", { name: channel.name })}
        body={t("channels.deleteBody")}
        confirmLabel={t("channels.delete")}
        danger
        busy={remove.isPending}
        onCancel={onClose}
        onConfirm={() => remove.mutate()}
      />
    </>
  );
}

/** Which dialog is open, as state. */
export function useChannelDialog(): [ChannelDialog | undefined, (dialog: ChannelDialog | undefined) => void] {
  return useState<ChannelDialog>();
}
