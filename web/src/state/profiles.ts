/**
 * How people show: what `USER` tells goes everywhere that they show, and what was missed is asked for.
 *
 * Invariants:
 * - Of two states of someone the one with the larger version stays.
 */

import type { QueryClient } from "@tanstack/react-query";

import type { UpdateUser, User, UserChange, UserChanges, UserSummary } from "../api/types";

export interface ProfilesHooks {
  client: QueryClient;
  /** Whose profile changed after a version. */
  fetchChanges: (after: number) => Promise<UserChanges>;
}

export class Profiles {
  /** Up to where all was told; nothing before the first `READY`. */
  private version: number | undefined;
  private readonly told = new Map<string, number>();

  private readonly hooks: ProfilesHooks;

  constructor(hooks: ProfilesHooks) {
    this.hooks = hooks;
  }

  /** `READY` says which version is the newest that may concern the user. */
  begin(newest: number): void {
    const known = this.version;
    if (known !== undefined && known < newest) {
      void this.catchUp(known);
    } else if (known !== newest) {
      // The first, or the server's data was put back.
      this.told.clear();
      this.version = newest;
    }
  }

  heard({ user, version }: UserChange): void {
    if (this.version !== undefined) this.version = Math.max(this.version, version);
    this.show(user, version);
  }

  private async catchUp(known: number): Promise<void> {
    let after = known;
    try {
      for (;;) {
        const changes = await this.hooks.fetchChanges(after);
        for (const user of changes.users) this.show(user, changes.version);
        after = changes.version;
        this.version = Math.max(this.version ?? 0, after);
        if (!changes.more) return;
      }
    } catch {
      // The next connection begins with the same question.
    }
  }

  private show(user: User, version: number): void {
    if ((this.told.get(user.id) ?? 0) > version) return;
    this.told.set(user.id, version);
    for (const query of this.hooks.client.getQueryCache().getAll()) {
      const known: unknown = query.state.data;
      const data = shownAs(known, user);
      if (data !== known) this.hooks.client.setQueryData(query.queryKey, data);
    }
  }
}

/** The same data with someone as they show now, wherever they are in it; the same objects where they are not. */
export function shownAs(data: unknown, user: User): unknown {
  if (typeof data !== "object" || data === null) return data;
  if (Array.isArray(data)) {
    const items = data.map((item: unknown) => shownAs(item, user));
    return items.every((item, at) => item === data[at]) ? data : items;
  }
  if (isSummary(data) && data.id === user.id) return merged(data, user);
  const known = Object.entries(data);
  const entries = known.map(([key, value]) => [key, shownAs(value, user)] as const);
  return entries.every(([, value], at) => value === known[at]?.[1]) ? data : Object.fromEntries(entries);
}

function isSummary(data: object): data is UserSummary {
  return "id" in data && "username" in data && "display_name" in data;
}

/** As much of the user as was known; what is private is not told. */
function merged(known: UserSummary & Partial<User>, user: User): UserSummary | User {
  if (known.created_at !== undefined) {
    return known.email === undefined ? user : { ...user, email: known.email };
  }
  const { id, username, display_name, avatar_url } = user;
  return { id, username, display_name, ...(avatar_url === undefined ? {} : { avatar_url }) };
}

/** What of one's own profile was changed in a form; nothing, where that is nothing. */
export function profileChanges(me: User, form: Required<UpdateUser>): UpdateUser | undefined {
  const changes: UpdateUser = {
    ...(form.display_name.trim() === me.display_name ? {} : { display_name: form.display_name }),
    ...(form.about.trim() === (me.about ?? "") ? {} : { about: form.about }),
    ...(form.time_zone.trim() === (me.time_zone ?? "") ? {} : { time_zone: form.time_zone }),
  };
  return Object.keys(changes).length === 0 ? undefined : changes;
}
