/**
 * Notifications in the query cache: how many are unread, the newest of them, the settings.
 *
 * The count with the largest version is true. Where one comes late, or something may have been missed, the list is
 * read again.
 */

import { useQuery, type QueryClient } from "@tanstack/react-query";

import { keys } from "../api/keys";
import { notificationCountQuery } from "../api/queries";
import type {
  NewNotification,
  Notification,
  NotificationCount,
  NotificationSettings,
  NotificationsChange,
} from "../api/types";

/** As many as one request gives. */
const NEWEST = 50;

export const useUnread = (): number => useQuery(notificationCountQuery).data?.unread ?? 0;

/** All that is known is of before. */
export function beginNotifications(client: QueryClient, count: NotificationCount | undefined): void {
  client.setQueryData<NotificationCount>(keys.notificationCount, count ?? { unread: 0, version: 0 });
  void client.invalidateQueries({ queryKey: keys.notifications });
  void client.invalidateQueries({ queryKey: keys.notificationSettings });
}

/** Takes in a count; false when a newer one is known. */
export function putCount(client: QueryClient, count: NotificationCount): boolean {
  const known = client.getQueryData<NotificationCount>(keys.notificationCount);
  if (known !== undefined && known.version > count.version) {
    void client.invalidateQueries({ queryKey: keys.notifications });
    return false;
  }
  client.setQueryData<NotificationCount>(keys.notificationCount, count);
  return true;
}

export function putNotification(client: QueryClient, { notification, count }: NewNotification): void {
  if (!putCount(client, count)) return;
  client.setQueryData<Notification[]>(keys.notifications, (list) => {
    if (list === undefined || list.some(({ id }) => id === notification.id)) return list;
    return [notification, ...list].slice(0, NEWEST);
  });
  if (!notification.read) show(notification);
}

export function changeNotifications(
  client: QueryClient,
  { read, removed, count }: NotificationsChange,
): void {
  if (!putCount(client, count)) return;
  client.setQueryData<Notification[]>(keys.notifications, (list) =>
    list
      ?.filter(({ id }) => !removed.includes(id))
      .map((known) => (read.includes(known.id) ? { ...known, read: true } : known)),
  );
}

export function putNotificationSettings(client: QueryClient, settings: NotificationSettings): void {
  client.setQueryData<NotificationSettings>(keys.notificationSettings, (known) =>
    known !== undefined && known.version > settings.version ? known : settings,
  );
}

/** Shows one outside the page, where the user allowed that and is not looking at it. */
function show({ id, author, excerpt, silent }: Notification): void {
  if (typeof window.Notification === "undefined" || window.Notification.permission !== "granted") return;
  if (document.visibilityState === "visible" && document.hasFocus()) return;
  try {
    const shown = new window.Notification(author.display_name, { body: excerpt, tag: id, silent });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
  } catch {
    // Browsers of phones show none from a page.
  }
}
