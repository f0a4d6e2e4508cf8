/** Every address of the client, in one place. */

export const paths = {
  home: "/",
  entrance: "/login",
  channel: (id: string) => `/c/${encodeURIComponent(id)}`,
  /** The pattern of `channel`. */
  anyChannel: "/c/:channelId",
  invite: (code: string) => `/invite/${encodeURIComponent(code)}`,
  /** The pattern of `invite`. */
  anyInvite: "/invite/:code",
} as const;
