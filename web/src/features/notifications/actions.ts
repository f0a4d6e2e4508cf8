/** What can be done with notifications. The events of the gateway tell the other devices. */

import { useMutation, useQueryClient } from "@tanstack/react-query";

import * as requests from "../../api/requests";
import type { UpdateNotificationSettings } from "../../api/types";
import { errorText } from "../../state/errorText";
import { changeNotifications, putNotificationSettings } from "../../state/notifications";
import { notify } from "../../state/notices";

/** Says when, and of which words, one wants to be notified. Its errors belong to the form. */
export function useSaveNotificationSettings(onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: UpdateNotificationSettings) => requests.updateNotificationSettings(body),
    onSuccess: (settings) => {
      putNotificationSettings(client, settings);
      onDone();
    },
  });
}

/** Marks these as read. */
export function useReadNotifications() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (ids: string[]) => {
      const count = await requests.readNotifications({ ids });
      changeNotifications(client, { read: ids, removed: [], count });
    },
    onError: (error: Error) => notify(errorText(error), "error"),
  });
}
