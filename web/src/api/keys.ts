/** The keys of the query cache, in one place: what is read in one file is changed in another. */

export const keys = {
  me: ["me"] as const,
  sessions: ["sessions"] as const,
  workspaces: ["workspaces"] as const,
  /** Those the user is a member of. */
  channels: ["channels"] as const,
  channel: (id: string) => ["channel", id] as const,
  /** All that the user can see in a workspace, joined or not. */
  browse: (workspaceId: string) => ["browse", workspaceId] as const,
  /** A workspace's own emoji. */
  emoji: (workspaceId: string) => ["emoji", workspaceId] as const,
  /** What a code opens. */
  invite: (code: string) => ["invite", code] as const,
  guestLinks: (channelId: string) => ["guest-links", channelId] as const,
  workspaceMembers: (workspaceId: string) => ["workspace-members", workspaceId] as const,
  channelMembers: (channelId: string) => ["channel-members", channelId] as const,
  timelines: ["timeline"] as const,
  timeline: (channelId: string) => ["timeline", channelId] as const,
  /** The replies to a message. */
  replies: (rootId: string) => ["replies", rootId] as const,
  /** Others' read marks: `seq` by user. */
  reads: (channelId: string) => ["reads", channelId] as const,
  /** The mutes and bans that the user is under. */
  sanctions: ["sanctions"] as const,
  /** What the user has chosen. */
  settings: ["settings"] as const,
  /** How many notifications are unread. */
  notificationCount: ["notification-count"] as const,
  /** The newest notifications. */
  notifications: ["notifications"] as const,
  notificationSettings: ["notification-settings"] as const,
  presence: ["presence"] as const,
  online: ["online"] as const,
  user: (id: string) => ["user", id] as const,
};
