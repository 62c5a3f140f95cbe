/** A log that scrolls: it follows its end while asked to, finds words, and shows a thousand lines at a time. */

import { useEffect, useMemo, useRef, useState } from 'react';
import type { LogLine } from '../server/api';
import { clock } from '../wording';

export const PAGE = 1000;

export interface LogAreaProps {
  lines: readonly LogLine[];
  /** Loads those before the first one, where there are any. */
  onMore?: (() => unknown) | undefined;
}

export function LogArea({ lines, onMore }: LogAreaProps): JSX.Element {
  const [query, setQuery] = useState('');
  const [isFollowing, setFollowing] = useState(true);
  const [page, setPage] = useState<number | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const found = useMemo(() => matching(lines, query), [lines, query]);
  const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
  const shown = Math.min(page ?? last, last);
  const rows = useMemo(() => found.slice(shown * PAGE, (shown + 1) * PAGE), [found, shown]);
  useEffect(() => {
    if (isFollowing && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [rows, isFollowing]);
  const onScroll = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    // Whoever scrolls up wants to read; whoever comes back to the end wants to go on.
    setFollowing(scrollTop + clientHeight >= scrollHeight - 4);
  };
  return (
    <div className="cloudml-LogArea">
      <div className="cloudml-LogArea-tools">
        <input
          type="search"
          className="cloudml-Input"
          placeholder="Search the log"
          aria-label="Search the log"
          value={query}
          onChange={event => setQuery(event.target.value)}
        />
        <span className="cloudml-Muted cloudml-Number" role="status">
          {query ? `${found.length.toLocaleString('en')} of ${lines.length.toLocaleString('en')} lines` : ''}
        </span>
        <label className="cloudml-Check">
          <input type="checkbox" checked={isFollowing} onChange={event => setFollowing(event.target.checked)} /> Follow
        </label>
      </div>
      {(last > 0 || onMore) && (
        <div className="cloudml-LogArea-tools">
          {onMore && (
            <button type="button" className="cloudml-Button cloudml-mod-plain" onClick={() => void onMore()}>
              Load earlier lines
            </button>
          )}
          {last > 0 && <Pages page={shown} last={last} count={found.length} size={PAGE} onPage={setPage} />}
        </div>
      )}
      <div
        ref={box}
        className="cloudml-LogArea-box"
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Log"
        data-lm-suppress-shortcuts
        onScroll={onScroll}
      >
        {rows.map((line, index) => (
          <div key={index} className="cloudml-Log-line" data-severity={line.severity}>
            <span className="cloudml-Log-time">{clock(line.time)}</span> <Marked text={line.text} query={query} />
          </div>
        ))}
      </div>
    </div>
  );
}

export interface PagesProps {
  page: number;
  last: number;
  count: number;
  size: number;
  onPage: (page: number) => void;
}

/** `13–24 of 60` between Previous and Next. */
export function Pages({ page, last, count, size, onPage }: PagesProps): JSX.Element {
  const [first, end, all] = [page * size + 1, Math.min(count, (page + 1) * size), count].map(place => place.toLocaleString('en'));
  const range = `${first}–${end} of ${all}`;
  return (
    <nav className="cloudml-Pages" aria-label="Pages">
      <button type="button" className="cloudml-Button cloudml-mod-plain" disabled={page === 0} onClick={() => onPage(page - 1)}>
        Previous
      </button>
      <span className="cloudml-Number" aria-live="polite">
        {range}
      </span>
      <button
        type="button"
        className="cloudml-Button cloudml-mod-plain"
        disabled={page === last}
        onClick={() => onPage(page + 1)}
      >
        Next
      </button>
    </nav>
  );
}

function matching(lines: readonly LogLine[], query: string): readonly LogLine[] {
  const wanted = query.toLowerCase();
  return wanted ? lines.filter(line => line.text.toLowerCase().includes(wanted)) : lines;
}

/** Text with its first match marked. */
function Marked({ text, query }: { text: string; query: string }): JSX.Element {
  const at = query ? text.toLowerCase().indexOf(query.toLowerCase()) : -1;
  if (at < 0) {
    return <>{text}</>;
  }
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + query.length)}</mark>
      {text.slice(at + query.length)}
    </>
  );
}
