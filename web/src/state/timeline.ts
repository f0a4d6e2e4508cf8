/**
 * The loaded part of a channel's messages: a window without holes, moved and widened by pages, kept
 * fresh by events. Pure functions.
 *
 * Invariants:
 * - Once loaded, `items` are sorted by `seq`, each one more than the one before.
 * - Of two states of a message the one with the higher `version` stays, whichever comes first.
 */

import type { Message } from "../api/types";

export interface Timeline {
  /** False while the first page is under way: `items` then hold what events told meanwhile. */
  readonly loaded: boolean;
  readonly items: readonly Message[];
}

export const unloaded: Timeline = { loaded: false, items: [] };

export function firstSeq(timeline: Timeline): number {
  return timeline.items[0]?.seq ?? 0;
}

export function lastSeq(timeline: Timeline): number {
  return timeline.items.at(-1)?.seq ?? 0;
}

/** `seq` has no holes, so it tells whether there is more. */
export function hasOlder(timeline: Timeline): boolean {
  return firstSeq(timeline) > 1;
}

export function hasNewer(timeline: Timeline, channelLastSeq: number): boolean {
  return lastSeq(timeline) < channelLastSeq;
}

function bySeq(a: Message, b: Message): number {
  return a.seq - b.seq;
}

/** Takes in states that came by events, answers and changes; what is outside the window is left out. */
export function mergeStates(timeline: Timeline, states: readonly Message[]): Timeline {
  // An unloaded timeline only gathers: it may have holes.
  if (!timeline.loaded) return { loaded: false, items: newestOfEach([...timeline.items, ...states]) };
  const items = [...timeline.items];
  const first = firstSeq(timeline);
  let changed = false;
  for (const state of newestOfEach(states)) {
    // Without holes, a place in the channel is a place in the window.
    const place = items.length === 0 ? state.seq - 1 : state.seq - first;
    const known = items[place];
    if (place !== items.length && (known === undefined || state.version <= known.version)) continue;
    items[place] = state;
    changed = true;
  }
  return changed ? { loaded: true, items } : timeline;
}

/** Lets go of old ones, so that a page that stays open for weeks does not grow for ever. */
export function trim(timeline: Timeline, most: number, keep: number): Timeline {
  return timeline.items.length <= most ? timeline : { ...timeline, items: timeline.items.slice(-keep) };
}

/** Takes in a page: joins it to the window where they touch, moves the window there otherwise. */
export function mergePage(timeline: Timeline, page: readonly Message[]): Timeline {
  if (!timeline.loaded) {
    return mergeStates({ loaded: true, items: newestOfEach(page) }, timeline.items);
  }
  const first = page[0];
  const last = page.at(-1);
  if (first === undefined || last === undefined) return timeline;
  if (timeline.items.length === 0) return { loaded: true, items: newestOfEach(page) };
  const touches = first.seq <= lastSeq(timeline) + 1 && last.seq >= firstSeq(timeline) - 1;
  if (!touches) return { loaded: true, items: newestOfEach(page) };
  return { loaded: true, items: newestOfEach([...timeline.items, ...page]) };
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
