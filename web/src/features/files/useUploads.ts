/** Files on their way into the message that is being written. */

import { useRef, useState } from "react";

import { uploadFile } from "../../api/requests";
import { errorText } from "../../state/errorText";
import { notify } from "../../state/notices";

/** Files of one message. */
const MOST = 10;

/** A file that was chosen; it has an id once it is uploaded. */
export interface Upload {
  key: number;
  name: string;
  size: number;
  id?: string;
}

export interface Uploads {
  list: readonly Upload[];
  /** Whether one is not up yet. */
  busy: boolean;
  add: (files: readonly File[]) => void;
  remove: (key: number) => void;
  /** The ids of all, which are forgotten. */
  take: () => string[];
}

export function useUploads(): Uploads {
  const [list, setList] = useState<readonly Upload[]>([]);
  const next = useRef(0);
  const running = useRef(new Map<number, AbortController>());

  const remove = (key: number) => {
    running.current.get(key)?.abort();
    running.current.delete(key);
    setList((known) => known.filter((upload) => upload.key !== key));
  };
  const begin = (file: File) => {
    const key = next.current;
    next.current += 1;
    const wish = new AbortController();
    running.current.set(key, wish);
    setList((known) => [...known, { key, name: file.name, size: file.size }]);
    uploadFile(file, wish.signal)
      .then(({ id }) => {
        running.current.delete(key);
        setList((known) => known.map((upload) => (upload.key === key ? { ...upload, id } : upload)));
      })
      .catch((error: unknown) => {
        if (wish.signal.aborted) return;
        notify(`${file.name}: ${errorText(error)}`, "error");
        remove(key);
      });
  };
  return {
    list,
    busy: list.some((upload) => upload.id === undefined),
    add: (files) => files.slice(0, MOST - list.length).forEach(begin),
    remove,
    take: () => {
      setList([]);
      return list.flatMap(({ id }) => (id === undefined ? [] : [id]));
    },
  };
}
