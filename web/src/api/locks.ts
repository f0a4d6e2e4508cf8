/**
 * One tab at a time: Web Locks where there are any.
 *
 * Browsers have them only on https and localhost. Elsewhere tabs cannot be kept apart, only the
 * calls within one tab.
 */

/** The DOM's types promise it, but it is missing on plain http. */
function manager(): LockManager | null | undefined {
  return navigator.locks;
}

const tails = new Map<string, Promise<unknown>>();

/** Runs `work` when no other tab and no other call runs anything under this name. */
export async function exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = manager();
  if (locks) return await locks.request(name, work);
  const before = tails.get(name) ?? Promise.resolve();
  const mine = before.then(work, work);
  tails.set(name, mine);
  try {
    return await mine;
  } finally {
    if (tails.get(name) === mine) tails.delete(name);
  }
}

/** Runs `work` unless someone runs something under this name right now; says whether it ran. */
export async function unlessBusy(name: string, work: () => Promise<void>): Promise<boolean> {
  const locks = manager();
  if (locks) {
    return await locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock === null) return false;
      await work();
      return true;
    });
  }
  if (tails.has(name)) return false;
  await exclusively(name, work);
  return true;
}
