/**
 * The replies to a message, and where one writes another.
 *
 * The root tells by its version that there are more: then they are read anew.
 */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Divider from "@mui/material/Divider";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useId, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { keys } from "../../api/keys";
import { repliesQuery } from "../../api/queries";
import { reply } from "../../api/requests";
import type { CreateReply, Message } from "../../api/types";
import { rowsOf } from "../../lib/rows";
import { useMyId } from "../../state/context";
import { errorText } from "../../state/errorText";
import { newNonce } from "../../state/outbox";
import { Composer } from "../../ui/Composer";
import { MessageRow, type MessageActions } from "../../ui/MessageRow";
import { lister } from "./listed";

const nothing = () => undefined;
const show = (row: HTMLElement | null) => row?.scrollIntoView({ block: "center" });
const none: MessageActions = {
  onEdit: nothing,
  onDelete: nothing,
  onRetry: nothing,
  onDiscard: nothing,
  onReact: nothing,
};

export interface ThreadDialogProps {
  root: Message;
  /** The reply that one came for. */
  replyId?: string | undefined;
  /** Whether one is in the channel. */
  joined: boolean;
  onClose: () => void;
}

export function ThreadDialog({ root, replyId, joined, onClose }: ThreadDialogProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const myId = useMyId();
  const titleId = useId();
  const query = useInfiniteQuery(repliesQuery(root));
  // Older pages, until the reply is there or could not be any more.
  const { data: replies, hasNextPage, isFetching, fetchNextPage } = query;
  const [oldest] = replies ?? [];
  const further = replyId !== undefined && oldest !== undefined && BigInt(oldest.id) > BigInt(replyId);
  useEffect(() => {
    if (further && hasNextPage && !isFetching) void fetchNextPage();
  }, [further, hasNextPage, isFetching, fetchNextPage]);
  const send = useMutation({
    mutationFn: (body: CreateReply) => reply(root.id, body),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.replies(root.id) }),
  });

  const rows = useMemo(() => {
    const list = lister(myId, false, false);
    const shown = [root, ...(query.data ?? [])].map((message) => ({
      ...list(message),
      canEdit: false,
      canDelete: false,
      canReply: false,
      canReact: false,
      replies: undefined,
    }));
    return rowsOf(shown, { hasOlder: query.hasNextPage });
  }, [root, query.data, query.hasNextPage, myId]);

  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="sm" aria-labelledby={titleId}>
      <DialogTitle id={titleId}>{t("messages.thread")}</DialogTitle>
      <DialogContent dividers sx={{ px: 0 }}>
        {rows.map((row, at) => (
          <Box key={row.key} ref={row.message.id === replyId ? show : undefined}>
            <MessageRow
              {...row}
              message={row.message}
              marked={row.message.id === replyId}
              reachable
              actions={none}
            />
            {at === 0 && <Divider sx={{ my: 1 }} />}
            {at === 0 && query.hasNextPage && (
              <Button
                fullWidth
                size="small"
                disabled={query.isFetchingNextPage}
                onClick={() => void query.fetchNextPage()}
              >
                {t("common.more")}
              </Button>
            )}
          </Box>
        ))}
      </DialogContent>
      <Box sx={{ p: 2 }}>
        {send.isError && (
          <Box role="alert" sx={{ display: "flex", alignItems: "center", gap: 1, color: "error.main" }}>
            {t("messages.failedWhy", { reason: errorText(send.error) })}
            {/* With the nonce of the first attempt: it may have been stored. */}
            <Button size="small" onClick={() => send.mutate(send.variables)}>
              {t("messages.retry")}
            </Button>
          </Box>
        )}
        {joined && (
          <Composer
            autoFocus
            label={t("messages.threadLabel")}
            onSend={(content) => send.mutate({ content, nonce: newNonce() })}
          />
        )}
      </Box>
    </Dialog>
  );
}
