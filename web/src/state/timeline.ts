/**
 * The loaded part of a channel's messages: a window without holes, moved and widened by pages, kept
 * fresh by events. Pure functions.
 *
 * Invariants:
 * - Once loaded, `items` are sorted by `seq`, each one more than the one before.
 * - Of two states of a message the one with the higher `version` stays, whichever comes first.

 * - Nothing below `floor`, the channel's first `seq`, is in it.
 * - A message is in it only with one's own reactions told apart.
 */

import type { Message, Reaction, ReactionChange } from "../api/types";

/** What was told of a message: how it is, or that someone reacted, and whether that was oneself. */
type Told = Message | { change: ReactionChange; mine: boolean };

export interface Timeline {
  /** The `seq` of the oldest message that the channel keeps. */
  readonly floor: number;
  /** False while the first page is under way. */
  readonly loaded: boolean;
  readonly items: readonly Message[];
  /** How many more pages are under way. */
  readonly fetching: number;
  /** What was told while pages are under way, which may be older. */
  readonly heard: readonly Told[];
}

export const unloaded: Timeline = { floor: 1, loaded: false, items: [], fetching: 0, heard: [] };

export function firstSeq(timeline: Timeline): number {
  return timeline.items[0]?.seq ?? 0;
}

export function lastSeq(timeline: Timeline): number {
  return timeline.items.at(-1)?.seq ?? 0;
}

/** `seq` has no holes, so it tells whether there is more. */
export function hasOlder(timeline: Timeline): boolean {
  return firstSeq(timeline) > timeline.floor;
}

export function hasNewer(timeline: Timeline, channelLastSeq: number): boolean {
  return lastSeq(timeline) < channelLastSeq;
}

function bySeq(a: Message, b: Message): number {
  return a.seq - b.seq;
}

function hear(timeline: Timeline, told: readonly Told[]): Timeline {
  const waits = !timeline.loaded || timeline.fetching > 0;
  return waits ? { ...timeline, heard: [...timeline.heard, ...told] } : timeline;
}

/** The message with one's own reactions told apart, which events for everyone do not. */
function complete(state: Message, known: Message | undefined): Message | undefined {
  if (state.reactions.every(({ me }) => me !== undefined)) return state;
  if (known === undefined) return undefined;
  const own = new Set(known.reactions.filter(({ me }) => me === true).map(({ emoji }) => emoji));
  const reactions = state.reactions.map((reaction) => ({
    ...reaction,
    me: reaction.me ?? own.has(reaction.emoji),
  }));
  return { ...state, reactions };
}

/** Takes in states that came by events, answers and changes; what is outside the window is left out. */
export function mergeStates(before: Timeline, states: readonly Message[]): Timeline {
  const timeline = hear(before, states);
  if (!timeline.loaded) return timeline;
  const items = [...timeline.items];
  const first = firstSeq(timeline);
  let changed = false;
  for (const state of newestOfEach(states)) {
    // Without holes, a place in the channel is a place in the window.
    const place = items.length === 0 ? state.seq - timeline.floor : state.seq - first;
    const known = items[place];
    if (place !== items.length && (known === undefined || state.version <= known.version)) continue;
    const whole = complete(state, known);
    if (whole === undefined) continue;
    items[place] = whole;
    changed = true;
  }
  return changed ? { ...timeline, items } : timeline;
}

/** Takes in that someone reacted. */
export function mergeReaction(before: Timeline, change: ReactionChange, mine: boolean): Timeline {
  const timeline = hear(before, [{ change, mine }]);
  const place = timeline.items.findIndex(({ id }) => id === change.message_id);
  const known = timeline.items[place];
  if (known === undefined || known.version >= change.version) return timeline;
  const { version } = change;
  const reactions = changed(known.reactions, change, mine);
  return { ...timeline, items: timeline.items.with(place, { ...known, version, reactions }) };
}

function changed(
  reactions: readonly Reaction[],
  { emoji, added }: ReactionChange,
  mine: boolean,
): Reaction[] {
  if (!reactions.some((reaction) => reaction.emoji === emoji)) {
    return added ? [...reactions, { emoji, count: 1, me: mine }] : [...reactions];
  }
  return reactions
    .map((reaction) =>
      reaction.emoji === emoji
        ? { ...reaction, count: reaction.count + (added ? 1 : -1), ...(mine ? { me: added } : {}) }
        : reaction,
    )
    .filter(({ count }) => count > 0);
}

/** The channel begins later now: what was before is gone. */
export function rise(timeline: Timeline, floor: number): Timeline {
  if (floor <= timeline.floor) return timeline;
  return { ...timeline, floor, items: timeline.items.filter(({ seq }) => seq >= floor) };
}

/** Lets go of old ones, so that a page that stays open for weeks does not grow for ever. */
export function trim(timeline: Timeline, most: number, keep: number): Timeline {
  return timeline.items.length <= most ? timeline : { ...timeline, items: timeline.items.slice(-keep) };
}

/** A page beside the first one is under way; `endPage` follows. */
export function beginPage(timeline: Timeline): Timeline {
  return { ...timeline, fetching: timeline.fetching + 1 };
}

/** A page beside the first one came, or not. */
export function endPage(timeline: Timeline, page: readonly Message[] | undefined): Timeline {
  const ended = { ...timeline, fetching: Math.max(0, timeline.fetching - 1) };
  return ended.loaded ? mergePage(ended, page ?? []) : ended;
}

/** Takes in a page: joins it to the window where they touch, moves the window there otherwise. */
export function mergePage(timeline: Timeline, page: readonly Message[]): Timeline {
  // What was told meanwhile comes after it.
  const { floor } = timeline;
  const kept = page.filter(({ seq }) => seq >= floor);
  const { items } = timeline.heard.reduce(retell, {
    ...unloaded,
    floor,
    loaded: true,
    items: join(timeline, kept),
  });
  return { ...timeline, loaded: true, items, heard: timeline.fetching > 0 ? timeline.heard : [] };
}

function join({ loaded, items }: Timeline, page: readonly Message[]): readonly Message[] {
  const first = page[0];
  const last = page.at(-1);
  if (first === undefined || last === undefined) return items;
  const [from, to] = [items[0], items.at(-1)];
  const touches =
    loaded && from !== undefined && to !== undefined && first.seq <= to.seq + 1 && last.seq >= from.seq - 1;
  return newestOfEach(touches ? [...items, ...page] : page);
}

function retell(timeline: Timeline, told: Told): Timeline {
  return "change" in told ? mergeReaction(timeline, told.change, told.mine) : mergeStates(timeline, [told]);
}

/** Each message once, in its newest state, by `seq`. */
function newestOfEach(messages: readonly Message[]): Message[] {
  const newest = new Map<string, Message>();
  for (const message of messages) {
    const known = newest.get(message.id);
    if (known === undefined || message.version > known.version) newest.set(message.id, message);
  }
  return [...newest.values()].sort(bySeq);
}
