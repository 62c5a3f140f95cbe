/** The whole log of a job: asked for in growing pieces, then followed by what the store hears. */

import { useCallback, useEffect, useMemo, useState } from 'react';
import { Banner, wordsOf } from './banner';
import { LogArea } from './log_area';
import type { LogLine } from '../server/api';
import type { IJobStore } from '../tokens/job_store';

const FIRST = 1000;
const MOST = 10_000;

export interface JobLogProps {
  store: IJobStore;
  id: string;
  /** The last lines as the document has them. */
  live: readonly LogLine[];
}

export function JobLog({ store, id, live }: JobLogProps): JSX.Element {
  const [loaded, setLoaded] = useState<readonly LogLine[]>([]);
  const [hasMore, setMore] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const load = useCallback(
    async (count: number) => {
      setProblem(null);
      try {
        const { lines, more } = await store.api.logs(id, count);
        setLoaded(lines);
        setMore(more && count < MOST);
      } catch (reason) {
        setProblem(reason);
      }
    },
    [store, id]
  );
  useEffect(() => void load(FIRST), [load]);
  // The document keeps the last lines only.
  useEffect(() => setLoaded(before => (before.length ? followed(before, live) : before)), [live]);
  const lines = useMemo(() => followed(loaded, live), [loaded, live]);
  return (
    <>
      {problem !== null && <Banner words={wordsOf(problem)} retry={() => load(FIRST)} />}
      <LogArea lines={lines} onMore={hasMore ? () => load(MOST) : undefined} />
    </>
  );
}

/** The loaded lines and, after them, those of the document that are newer. */
export function followed(loaded: readonly LogLine[], live: readonly LogLine[]): readonly LogLine[] {
  const last = loaded.at(-1);
  if (!last) {
    return live;
  }
  const overlap = live.map(line => line.time === last.time && line.text === last.text).lastIndexOf(true);
  const fresh = overlap >= 0 ? live.slice(overlap + 1) : live.filter(line => line.time > last.time);
  return fresh.length ? [...loaded, ...fresh] : loaded;
}
