/** How long a job has taken, counted up by itself: each second one text node changes, and nothing else. */

import { useEffect, useRef } from 'react';
import type { JobDocument } from '../documents/generated';
import { elapsedWords, isFinal } from '../wording';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function onSecond(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => document.visibilityState === 'visible' && listeners.forEach(each => each()), 1000);
  return () => {
    listeners.delete(listener);
    if (!listeners.size) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

export interface ElapsedProps {
  job: Pick<JobDocument, 'state' | 'created' | 'started' | 'ended'>;
  /** Seconds that this page's clock is ahead of the server's. */
  clockOffset: number;
  isShown: boolean;
}

export function Elapsed({ job, clockOffset, isShown }: ElapsedProps): JSX.Element {
  const node = useRef<HTMLSpanElement>(null);
  const { state, created, started, ended } = job;
  useEffect(() => {
    const write = (): void => {
      const words = elapsedWords({ state, created, started, ended }, Date.now() / 1000 - clockOffset);
      if (node.current && node.current.textContent !== words) {
        node.current.textContent = words;
      }
    };
    write();
    return isFinal(state) || !isShown ? undefined : onSecond(write);
  }, [state, created, started, ended, clockOffset, isShown]);
  return <span ref={node} className="cloudml-Number cloudml-Elapsed" />;
}
