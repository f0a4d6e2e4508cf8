/**
 * Who is watched: where people are only counted, the server tells of those whom a client names. Those
 * are the people whose rows are on the screen.
 *
 * Invariants:
 * - What was said last is what is wanted, but for the moment that it waits for more.
 */

/** The server takes so many. */
const MOST = 100;
/** Scrolling changes much at once: that is said once. */
const WAIT_MS = 200;

export class Watching {
  private readonly say: (userIds: string[]) => void;
  /** How many rows show someone, by user. */
  private readonly rows = new Map<string, number>();
  private said = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(say: (userIds: string[]) => void) {
    this.say = say;
  }

  add(userId: string): void {
    this.rows.set(userId, (this.rows.get(userId) ?? 0) + 1);
    this.later();
  }

  remove(userId: string): void {
    const left = (this.rows.get(userId) ?? 0) - 1;
    if (left > 0) this.rows.set(userId, left);
    else this.rows.delete(userId);
    this.later();
  }

  /** Says it again, for the answer tells all of who is there. */
  anew(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const userIds = this.wanted();
    this.said = userIds.join();
    this.say(userIds);
  }

  /** A new connection watches nobody. */
  connected(): void {
    this.said = "";
    if (this.rows.size > 0) this.anew();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private wanted(): string[] {
    return [...this.rows.keys()].slice(0, MOST).toSorted();
  }

  private later(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.wanted().join() !== this.said) this.anew();
    }, WAIT_MS);
  }
}
