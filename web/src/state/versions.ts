/**
 * Puts the events of each channel into the order of its versions and fills the gaps.
 *
 * Every durable change of a channel has the channel's next version. An event that is one ahead is
 * applied; one that is further ahead waits while the changes in between are asked for.
 *
 * Invariants:
 * - `known` says: everything up to this version has been applied, and nothing is missing before it.
 * - A new connection (`READY`) makes everything begun before it void: it tells where things stand.
 */

import { asApiError } from "../api/errors";
import { backoff } from "../api/socket";
import type { Channel, ChannelChanges, Event, Ready } from "../api/types";

export interface VersionsOptions {
  me: () => string | undefined;
  apply: (event: Event) => void;
  applyChanges: (changes: ChannelChanges) => void;
  forgetTimeline: (channelId: string) => void;
  fetchChanges: (channelId: string, after: number) => Promise<ChannelChanges>;
  fetchChannel: (channelId: string) => Promise<Channel>;
  /** In which version one's own read mark is known. */
  readVersion: (channelId: string) => number;
  /** Channels with messages loaded or being loaded. */
  timelines: () => readonly string[];
}

/** With more missing than this, a page is loaded anew. */
const FILL_MESSAGES = 1_000;

interface Versioned {
  channelId: string;
  version: number;
}

function versionOf(event: Event): Versioned | undefined {
  switch (event.type) {
    case "MESSAGE":
      return { channelId: event.payload.channel_id, version: event.payload.version };
    case "REACTION":
      return { channelId: event.payload.channel_id, version: event.payload.version };
    case "CHANNEL":
      return { channelId: event.payload.channel.id, version: event.payload.channel.version };
    case "MEMBER": {
      const { channel_id: channelId, version } = event.payload;
      return channelId === undefined || version === undefined ? undefined : { channelId, version };
    }
    case "READY":
    case "TYPING":
    case "PRESENCE":
    case "USER":
    case "ONLINE":
    case "WATCHED":
    case "READ_RECEIPT":
    case "UNREAD":
    case "SETTINGS":
    case "SAVED":
    case "DRAFT":
    case "SCHEDULED":
    case "REMINDER":
    case "NOTIFICATION":
    case "NOTIFICATIONS":
    case "NOTIFICATION_SETTINGS":
    case "EXPORT":
    case "WORKSPACE":
    case "EMOJI":
    case "SANCTION":
    case "RESYNC":
    case "PONG":
      return undefined;
  }
}

export class Versions {
  private readonly options: VersionsOptions;
  private known = new Map<string, number>();
  /** Events that wait for the filling of a gap, by channel. */
  private filling = new Map<string, Event[]>();
  private resumed = new Set<string>();
  private era = 0;

  constructor(options: VersionsOptions) {
    this.options = options;
  }

  knownVersion(channelId: string): number | undefined {
    return this.known.get(channelId);
  }

  /** One is out of the channel, before an event tells. */
  left(channelId: string): void {
    this.known.delete(channelId);
    this.filling.delete(channelId);
  }

  /** Whether a gap of the channel is being filled. */
  busy(channelId: string): boolean {
    return this.filling.has(channelId);
  }

  /** What a returning connection names: only what is loaded, for all else `READY` says enough. */
  resume(): Record<string, number> {
    const versions: [string, number][] = [];
    for (const id of this.options.timelines().slice(0, 1_000)) {
      const version = this.known.get(id);
      if (version !== undefined) versions.push([id, version]);
    }
    this.resumed = new Set(versions.map(([id]) => id));
    return Object.fromEntries(versions);
  }

  deliver(event: Event): void {
    switch (event.type) {
      case "READY":
        this.ready(event.payload);
        return;
      case "PONG":
        for (const [id, version] of Object.entries(event.payload.versions)) {
          const known = this.known.get(id);
          if (known !== undefined && version > known) this.fill(id);
        }
        return;
      case "RESYNC":
        this.resync(event.payload.channel_id);
        return;
      case "TYPING":
      case "PRESENCE":
      case "USER":
      case "ONLINE":
      case "WATCHED":
      case "SETTINGS":
      case "SAVED":
      case "DRAFT":
      case "SCHEDULED":
      case "REMINDER":
      case "NOTIFICATION":
      case "NOTIFICATIONS":
      case "NOTIFICATION_SETTINGS":
      case "EXPORT":
      case "WORKSPACE":
      case "EMOJI":
      case "SANCTION":
        this.options.apply(event);
        return;
      case "READ_RECEIPT":
      case "UNREAD":
        this.options.apply(event);
        this.uncover(event);
        return;
      case "MESSAGE":
      case "REACTION":
      case "CHANNEL":
      case "MEMBER":
        this.inOrder(event);
    }
  }

  private inOrder(event: Event): void {
    const place = versionOf(event);
    if (place === undefined) {
      this.options.apply(event);
      return;
    }
    const { channelId, version } = place;
    if (this.begins(event)) {
      this.known.set(channelId, version);
      this.filling.delete(channelId);
      this.options.apply(event);
      // A preview was loaded before joining; nobody told of the changes since.
      this.options.forgetTimeline(channelId);
      return;
    }
    if (this.ends(event)) {
      this.left(channelId);
      this.options.apply(event);
      return;
    }
    const known = this.known.get(channelId);
    const buffer = this.filling.get(channelId);
    if (known === undefined) {
      // Not a member (yet): a channel that can be seen is told of, the rest comes with joining.
      if (event.type === "CHANNEL") this.options.apply(event);
    } else if (buffer !== undefined) {
      buffer.push(event);
    } else if (version === known + 1) {
      this.known.set(channelId, version);
      this.options.apply(event);
    } else if (version <= known) {
      // A message knows its own version; the others would count twice.
      if (event.type === "MESSAGE") this.options.apply(event);
    } else {
      this.fill(channelId, event);
    }
  }

  /** Whether one is in the channel from now on. */
  private begins(event: Event): boolean {
    return (
      event.type === "CHANNEL" &&
      event.payload.action === "created" &&
      event.payload.channel.joined === true &&
      !this.known.has(event.payload.channel.id)
    );
  }

  /** Whether one is out of the channel from now on. */
  private ends(event: Event): boolean {
    if (event.type === "CHANNEL") return event.payload.action === "deleted";
    return (
      event.type === "MEMBER" &&
      event.payload.action === "left" &&
      event.payload.member.user.id === this.options.me()
    );
  }

  private ready(ready: Ready): void {
    this.era += 1;
    this.filling.clear();
    const resumed = this.resumed;
    const before = this.known;
    this.known = new Map();
    this.options.apply({ type: "READY", payload: ready });
    const told = new Map(ready.changes.map((changes) => [changes.channel.id, changes]));
    for (const { id, version } of ready.channels) {
      const changes = told.get(id);
      if (changes !== undefined) {
        this.options.applyChanges(changes);
        this.known.set(id, changes.version);
        if (changes.more) this.fill(id);
      } else {
        this.known.set(id, version);
        const complete = resumed.has(id) && before.get(id) === version;
        if (!complete && this.options.timelines().includes(id)) this.options.forgetTimeline(id);
      }
    }
  }

  private fill(channelId: string, event?: Event): void {
    const waiting = this.filling.get(channelId);
    if (waiting !== undefined) {
      if (event !== undefined) waiting.push(event);
      return;
    }
    this.filling.set(channelId, event === undefined ? [] : [event]);
    void this.settle(channelId, () => this.catchUp(channelId));
  }

  /** The user's own mark moved back: what it uncovers, the state of the channel tells. */
  private uncover(event: Extract<Event, { type: "READ_RECEIPT" | "UNREAD" }>): void {
    const { channel_id: id, read_version: version = 0 } = event.payload;
    if (this.known.has(id) && version > this.options.readVersion(id)) this.fill(id, event);
  }

  private resync(channelId: string): void {
    if (!this.known.has(channelId)) return;
    this.filling.set(channelId, this.filling.get(channelId) ?? []);
    void this.settle(channelId, () => this.restart(channelId));
  }

  /** Tries until it is done, the channel is out of reach, or the connection is another. */
  private async settle(channelId: string, work: () => Promise<() => void>): Promise<void> {
    const era = this.era;
    const current = () => era === this.era && this.filling.has(channelId);
    for (let attempt = 0; current(); attempt += 1) {
      try {
        const finish = await work();
        if (!current()) return;
        finish();
        const waiting = this.filling.get(channelId) ?? [];
        this.filling.delete(channelId);
        const versions = new Map(waiting.map((event) => [event, versionOf(event)?.version ?? 0]));
        waiting.sort((a, b) => (versions.get(a) ?? 0) - (versions.get(b) ?? 0));
        for (const event of waiting) this.deliver(event);
        return;
      } catch (error) {
        if (!current()) return;
        if (!asApiError(error).temporary) {
          this.filling.delete(channelId);
          this.known.delete(channelId);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, backoff(attempt, Math.random())));
      }
    }
  }

  private async catchUp(channelId: string): Promise<() => void> {
    const pages: ChannelChanges[] = [];
    let after = this.known.get(channelId) ?? 0;
    let count = 0;
    for (;;) {
      const changes = await this.options.fetchChanges(channelId, after);
      pages.push(changes);
      count += changes.messages.length;
      if (count > FILL_MESSAGES) return this.restart(channelId);
      if (!changes.more || changes.version <= after) return () => this.take(channelId, pages);
      after = changes.version;
    }
  }

  /** All pages as one, since their messages are ordered by change and not by place. */
  private take(channelId: string, pages: readonly ChannelChanges[]): void {
    const last = pages.at(-1);
    if (last === undefined) return;
    this.options.applyChanges({
      ...last,
      messages: pages.flatMap((page) => page.messages),
      members: pages.flatMap((page) => page.members),
    });
    this.known.set(channelId, last.version);
  }

  private async restart(channelId: string): Promise<() => void> {
    const channel = await this.options.fetchChannel(channelId);
    return () => {
      this.options.applyChanges({
        channel,
        messages: [],
        members: [],
        version: channel.version,
        more: false,
      });
      this.known.set(channelId, channel.version);
      this.options.forgetTimeline(channelId);
    };
  }
}
