/** A channel: its messages, the field to write in, its people. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate, useParams } from "react-router";

import { asApiError } from "../api/errors";
import { isRecord } from "../api/trust";
import type { Channel } from "../api/types";
import { ChannelHeader } from "../features/channels/ChannelHeader";
import { ChannelDialogs, useChannelDialog } from "../features/channels/dialogs";
import { JoinBar } from "../features/channels/JoinBar";
import { MembersAside } from "../features/channels/MembersAside";
import { MessageComposer } from "../features/messages/MessageComposer";
import { fileActions } from "../features/files/actions";
import { useUploads } from "../features/files/useUploads";
import { MessagesPane } from "../features/messages/MessagesPane";
import { useTimeline } from "../features/messages/useTimeline";
import { ConnectionLine } from "../features/presence/ConnectionLine";
import { TypingLine } from "../features/presence/TypingLine";
import { useSayTyping } from "../features/presence/useTyping";
import { SeenBy } from "../features/reads/SeenBy";
import { useReading } from "../features/reads/useReading";
import { useTitle } from "../features/reads/useTitle";
import { paths } from "../paths";
import { useMyId } from "../state/context";
import { useEmojiOf } from "../state/emoji";
import { errorText } from "../state/errorText";
import { useMembersOpen, writeLastPlace } from "../state/lastPlace";
import { titleOf } from "../state/names";
import { notify } from "../state/notices";
import { useUnread } from "../state/notifications";
import { useChannel } from "../state/places";
import { AppShell } from "../ui/AppShell";
import { EmojiContext } from "../ui/CustomEmoji";
import type { MessageListHandle } from "../ui/MessageList";
import { Sidebar } from "./Sidebar";
import { Splash } from "./Splash";
import { focusComposer, useTypeAnywhere } from "./useTypeAnywhere";

export function ChannelPage() {
  const { channelId = "" } = useParams();
  const { channel, error } = useChannel(channelId);
  if (channel !== undefined) return <OpenChannel key={channel.id} channel={channel} />;
  if (error !== null) return <Lost error={error} channelId={channelId} />;
  return <Splash />;
}

function OpenChannel({ channel }: { channel: Channel }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const myId = useMyId();
  const loaded = useTimeline(channel);
  const { readSeq, seen } = useReading(channel);
  const { typed, stopped } = useSayTyping(channel.id);
  const [dialog, setDialog] = useChannelDialog();
  const [membersOpen, setMembersOpen] = useMembersOpen();
  const location = useLocation();
  const place = location.key; // Another one each time: choosing the same channel again counts.
  const wanted = wantedId(location.state, "messageId");
  const wantedReply = wantedId(location.state, "replyId");
  const askedAt = useRef<string>(undefined);
  const uploads = useUploads();
  const told = useUnread();
  const [editing, setEditing] = useState<string>();
  const list = useRef<MessageListHandle>(null);
  useTitle(titleOf(channel, myId));
  const newest = loaded.newer === "none" ? loaded.messages.at(-1) : undefined;

  const emoji = useEmojiOf(channel.workspace_id);
  const id = channel.id;
  useEffect(() => writeLastPlace(myId, id), [myId, id]);

  // A notification leads to its message, which may be far from what is loaded.
  const there =
    wanted !== undefined && loaded.messages.some(({ key, id: known }) => (known ?? key) === wanted);
  const { loading, failed, loadAround } = loaded;
  const goThere = useEffectEvent((messageId: string) => {
    if (list.current?.scrollTo(messageId) === true || askedAt.current === place) return;
    askedAt.current = place;
    loadAround(messageId).catch((error: unknown) => notify(errorText(error), "error"));
  });
  useEffect(() => {
    if (wanted !== undefined && !loading && !failed) goThere(wanted);
  }, [place, there, wanted, loading, failed]);

  useTypeAnywhere();
  const edit = useCallback((key: string | undefined) => {
    setEditing(key);
    if (key === undefined) focusComposer();
  }, []);

  return (
    <AppShell
      place={place}
      sidebar={<Sidebar channel={channel} />}
      news={told > 0 ? t("notifications.bell", { count: told }) : undefined}
      header={
        <ChannelHeader
          channel={channel}
          membersOpen={membersOpen}
          onToggleMembers={() => setMembersOpen(!membersOpen)}
          onDialog={setDialog}
        />
      }
      aside={
        membersOpen ? (
          <MembersAside
            channel={channel}
            onInvite={() => setDialog("invite")}
            onOpened={(opened) => void navigate(paths.channel(opened.id))}
          />
        ) : undefined
      }
      asideLabel={t("members.members")}
      asideOpen={membersOpen}
      onAsideClose={() => setMembersOpen(false)}
    >
      <ConnectionLine />
      <EmojiContext value={emoji}>
        <MessagesPane
          ref={list}
          channel={channel}
          loaded={loaded}
          editing={editing}
          onEdit={edit}
          readSeq={readSeq}
          onSeen={seen}
          target={wanted === undefined ? undefined : { id: wanted, place, replyId: wantedReply }}
          files={fileActions}
          beginning={
            <Typography variant="body2" color="textSecondary">
              {t("messages.beginning", { name: titleOf(channel, myId) })}
            </Typography>
          }
        />
      </EmojiContext>
      <Box sx={{ display: "flex", height: 20, px: 2, gap: 2 }}>
        <TypingLine channelId={channel.id} />
        {newest?.own === true && newest.seq !== null && <SeenBy channelId={channel.id} seq={newest.seq} />}
      </Box>
      {channel.joined === true ? (
        <Box id="composer" sx={{ flex: "none", px: 2, pb: 1 }}>
          <MessageComposer
            channel={channel}
            uploads={uploads}
            onTyped={typed}
            onSent={() => {
              stopped();
              if (loaded.newer === "none") list.current?.scrollToNewest();
              else void loaded.loadNewest();
            }}
            onEditLast={() =>
              edit(loaded.messages.findLast((message) => message.own && message.canEdit)?.key)
            }
          />
        </Box>
      ) : (
        <JoinBar channel={channel} />
      )}
      <ChannelDialogs
        channel={channel}
        open={dialog}
        onClose={() => setDialog(undefined)}
        onGone={() => void navigate(paths.home)}
      />
    </AppShell>
  );
}

/** The message, or the reply to it, that whoever led here wants shown. */
function wantedId(state: unknown, which: "messageId" | "replyId"): string | undefined {
  const id = isRecord(state) ? state[which] : undefined;
  return typeof id === "string" ? id : undefined;
}

/** A channel that is not there, or that cannot be read now. */
function Lost({ error, channelId }: { error: Error; channelId: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  useTitle(undefined);
  const missing = asApiError(error).code === "not_found" || asApiError(error).code === "invalid";
  return (
    <AppShell place={channelId} sidebar={<Sidebar channel={undefined} />} header={null}>
      <ConnectionLine />
      <Box sx={{ flex: 1, display: "grid", placeContent: "center", textAlign: "center", gap: 2 }}>
        <Typography role="alert">{missing ? t("channels.notFound") : errorText(error)}</Typography>
        <Button onClick={() => void navigate(paths.home)}>{t("errors.home")}</Button>
      </Box>
    </AppShell>
  );
}
