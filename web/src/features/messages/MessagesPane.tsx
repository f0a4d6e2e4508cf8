/** A channel's messages: the list, editing and deleting in it. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import CircularProgress from "@mui/material/CircularProgress";
import Typography from "@mui/material/Typography";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo, useRef, useState, type ReactNode, type Ref } from "react";
import { useTranslation } from "react-i18next";

import { deleteMessage, react, removePreviews, unreact, updateMessage } from "../../api/requests";
import type { Channel, Message } from "../../api/types";
import { rowsOf, type ListedMessage } from "../../lib/rows";
import { putMessages } from "../../state/cache";
import { useMyId, useSync } from "../../state/context";
import { errorText } from "../../state/errorText";
import { titleOf } from "../../state/names";
import { notify } from "../../state/notices";
import { Composer } from "../../ui/Composer";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import type { FileActions } from "../../ui/Files";
import { MessageList, type MessageListHandle } from "../../ui/MessageList";
import type { MessageActions } from "../../ui/MessageRow";
import { ThreadDialog } from "./ThreadDialog";
import type { LoadedMessages } from "./useTimeline";

export interface MessagesPaneProps {
  channel: Channel;
  loaded: LoadedMessages;
  /** The key of the message that is edited. */
  editing: string | undefined;
  onEdit: (key: string | undefined) => void;
  /** Where the line of the unread is. */
  readSeq: number | undefined;
  onSeen: (message: Message) => void;
  /** The message that one came for, and with which step; perhaps for a reply to it. */
  target: { id: string; place: string; replyId?: string | undefined } | undefined;
  beginning?: ReactNode;
  /** What can be done with files. */
  files: FileActions;
  ref?: Ref<MessageListHandle>;
}

export function MessagesPane(props: MessagesPaneProps) {
  const { channel, loaded, editing, onEdit, readSeq, onSeen, target, beginning, files, ref } = props;
  const { t } = useTranslation();
  const client = useQueryClient();
  const myId = useMyId();
  const { outbox, markUnread } = useSync();
  const [deleting, setDeleting] = useState<ListedMessage>();
  // The place of the message whose thread is open.
  const [rootSeq, setRootSeq] = useState<number>();
  const root = rootSeq === undefined ? undefined : loaded.at(rootSeq);
  // Whoever came for a reply has its thread opened, once for each step.
  const [openedFor, setOpenedFor] = useState<string>();
  if (target?.replyId !== undefined && target.place !== openedFor) {
    const wanted = loaded.messages.find(({ id }) => id === target.id);
    if (wanted !== undefined) {
      setOpenedFor(target.place);
      setRootSeq(wanted.seq ?? undefined);
    }
  }
  // A jump begins the list anew, at its end.
  const [jumps, setJumps] = useState(0);
  const jumping = useRef(false);
  const [leftPlace, setLeftPlace] = useState<string>();

  const save = useMutation({
    mutationFn: ({ id, content }: { id: string; content: string }) => updateMessage(id, content),
    onSuccess: (message) => {
      putMessages(client, channel.id, myId, [message]);
      onEdit(undefined);
    },
    onError: (error) => notify(errorText(error), "error"),
  });
  const remove = useMutation({
    mutationFn: deleteMessage,
    onError: (error) => notify(errorText(error), "error"),
    onSettled: () => setDeleting(undefined),
  });
  const { mutate: setReaction } = useMutation({
    mutationFn: ({ id, emoji, add }: { id: string; emoji: string; add: boolean }) =>
      add ? react(id, emoji) : unreact(id, emoji),
    onSuccess: (message) => putMessages(client, channel.id, myId, [message]),
    onError: (error) => notify(errorText(error), "error"),
  });

  const { mutate: dropPreviews } = useMutation({
    mutationFn: removePreviews,
    onSuccess: (message) => putMessages(client, channel.id, myId, [message]),
    onError: (error) => notify(errorText(error), "error"),
  });

  const { mutate: unread } = useMutation({
    mutationFn: (id: string) => markUnread(channel.id, id),
    onError: (error) => notify(errorText(error), "error"),
  });
  const joined = channel.joined === true;
  const actions = useMemo<MessageActions>(
    () => ({
      files,
      onEdit: ({ key }) => onEdit(key),
      onDelete: setDeleting,
      onThread: ({ seq }) => setRootSeq(seq ?? undefined),
      onRetry: ({ key }) => outbox.retry(key),
      onDiscard: ({ key }) => outbox.discard(key),
      onReact: ({ id }, emoji, add) => {
        if (id !== null) setReaction({ id, emoji, add });
      },
      onRemovePreviews: ({ id }) => {
        if (id !== null) dropPreviews(id);
      },
      ...(joined && {
        onUnread: ({ id }: ListedMessage) => {
          if (id !== null) unread(id);
        },
      }),
    }),
    [files, onEdit, outbox, setReaction, dropPreviews, joined, unread],
  );
  const hasOlder = loaded.older !== "none";
  const rows = useMemo(
    () => rowsOf(loaded.messages, { readSeq, hasOlder }),
    [loaded.messages, readSeq, hasOlder],
  );

  const toNewest = () => {
    if (jumping.current) return;
    jumping.current = true;
    loaded
      .loadNewest()
      .then(() => {
        setLeftPlace(target?.place);
        setJumps((count) => count + 1);
      })
      .catch((error: unknown) => notify(errorText(error), "error"))
      .finally(() => (jumping.current = false));
  };

  if (loaded.loading || loaded.failed) {
    return (
      <Box sx={{ flex: 1, display: "grid", placeItems: "center" }}>
        {loaded.loading ? (
          <CircularProgress aria-label={t("app.loading")} />
        ) : (
          <Box role="alert" sx={{ textAlign: "center" }}>
            <Typography sx={{ mb: 1 }}>{t("messages.loadFailed")}</Typography>
            <Button onClick={loaded.retry}>{t("common.retry")}</Button>
          </Box>
        )}
      </Box>
    );
  }
  return (
    <>
      <MessageList
        key={jumps}
        {...(ref === undefined ? {} : { ref })}
        rows={rows}
        label={t("messages.list", { name: titleOf(channel, myId) })}
        older={loaded.older}
        newer={loaded.newer}
        onLoadOlder={loaded.loadOlder}
        onLoadNewer={loaded.loadNewer}
        onJumpToNewest={toNewest}
        onSeen={(seq) => {
          const message = loaded.at(seq);
          if (message === undefined) return;
          onSeen(message);
          if (seq === channel.last_seq) loaded.atNewest();
        }}
        actions={actions}
        targetId={target?.place === leftPlace ? undefined : target?.id}
        editingKey={editing}
        renderEditor={(message) => (
          <Composer
            mode="edit"
            autoFocus
            defaultValue={message.content}
            label={t("composer.editLabel")}
            onCancel={() => onEdit(undefined)}
            onSend={(content) => {
              if (content === message.content) onEdit(undefined);
              else if (message.id !== null) save.mutate({ id: message.id, content });
            }}
          />
        )}
        beginning={beginning}
      />
      {root !== undefined && (
        <ThreadDialog
          root={root}
          replyId={target?.id === root.id ? target.replyId : undefined}
          joined={channel.joined === true}
          onClose={() => setRootSeq(undefined)}
        />
      )}
      <ConfirmDialog
        open={deleting !== undefined}
        title={t("messages.deleteTitle")}
        body={t("messages.deleteBody")}
        confirmLabel={t("messages.delete")}
        danger
        busy={remove.isPending}
        onCancel={() => setDeleting(undefined)}
        onConfirm={() => {
          if (deleting?.id != null) remove.mutate(deleting.id);
        }}
      />
    </>
  );
}
