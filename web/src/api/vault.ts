/**
 * One value that all tabs agree on at once.
 *
 * `localStorage` is quick to read, but another tab's newest write may arrive late, even after a Web
 * Lock has been handed over. IndexedDB is in one place for all tabs: what was written before a lock
 * was let go is read by whoever gets the lock.
 */

const DATABASE = "madang";
const STORE = "vault";

/** The DOM's types promise it, but some private windows have none. */
function factory(): IDBFactory | undefined {
  return globalThis.indexedDB;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error("IndexedDB refused", { cause: request.error }));
  });
}

async function withStore<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T | undefined> {
  const databases = factory();
  if (databases === undefined) return undefined;
  try {
    const opening = databases.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    const database = await settled(opening);
    try {
      const transaction = database.transaction(STORE, mode);
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(new Error("IndexedDB aborted", { cause: transaction.error }));
      });
      const [result] = await Promise.all([settled(work(transaction.objectStore(STORE))), done]);
      return result;
    } finally {
      database.close();
    }
  } catch {
    return undefined; // Then `localStorage` must do.
  }
}

export function readVault(key: string): Promise<unknown> {
  return withStore<unknown>("readonly", (store) => store.get(key));
}

export async function writeVault(key: string, value: unknown): Promise<void> {
  await withStore("readwrite", (store) => store.put(value, key));
}

export async function clearVault(key: string): Promise<void> {
  await withStore("readwrite", (store) => store.delete(key));
}
