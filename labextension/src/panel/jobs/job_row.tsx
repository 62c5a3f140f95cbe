/** One job of the list: drawn anew only when this job changes. */

import { ellipsesIcon } from '@jupyterlab/ui-components';
import { memo, useCallback, type MouseEvent } from 'react';
import { StateDot } from '../../parts/state_dot';
import { Sparkline } from '../../charts/sparkline';
import type { JobDocument } from '../../documents/generated';
import type { IJobStore } from '../../tokens/job_store';
import { clock } from '../../wording';
import { useSignal } from '../signals';
import { jobLine, mainCurve } from './job_line';

export interface RowHandlers {
  open(id: string): void;
  focus(id: string): void;
  toggle(id: string): void;
  showMenu(id: string, x: number, y: number): void;
}

export interface JobRowProps {
  readonly id: string;
  readonly store: IJobStore;
  readonly now: number;
  /** Whether another job has its name. */
  readonly hasTwin: boolean;
  readonly isCurrent: boolean;
  readonly isSelected: boolean;
  readonly handlers: RowHandlers;
}

export const JobRow = memo(function JobRow({ id, store, now, hasTwin, isCurrent, isSelected, handlers }: JobRowProps) {
  useSignal(
    store.changed,
    useCallback((ids: ReadonlySet<string>) => ids.has(id), [id])
  );
  const job = store.document(id);
  if (!job) {
    return null;
  }
  const sent = hasTwin && job.created !== null ? clock(job.created).slice(0, 5) : '';
  const { detail, right, hasFigure } = jobLine(job, now);
  const curve = sparkCurve(job);
  const tabIndex = isCurrent ? 0 : -1;
  const showMenu = (event: MouseEvent<HTMLElement>) => {
    event.preventDefault();
    const box = event.currentTarget.getBoundingClientRect();
    const isByMouse = event.type === 'contextmenu' && event.clientX > 0;
    handlers.showMenu(id, isByMouse ? event.clientX : box.left, isByMouse ? event.clientY : box.bottom);
  };
  return (
    <li
      className="cloudml-JobRow"
      data-job={id}
      data-selected={isSelected || undefined}
      data-quiet={!hasFigure || undefined}
      onContextMenu={showMenu}
    >
      <StateDot state={job.state} isBare />
      <button
        type="button"
        className="cloudml-JobRow-open"
        tabIndex={tabIndex}
        onClick={() => handlers.open(id)}
        onFocus={() => handlers.focus(id)}
      >
        <span className="cloudml-JobRow-words">
          <span className="cloudml-JobRow-name">{job.name}</span>
          <span className="cloudml-JobRow-detail">{[sent, detail].filter(Boolean).join(' · ')}</span>
        </span>
        <span className="cloudml-JobRow-right">{job.state === 'RUNNING' && curve ? <Sparkline {...curve} /> : right}</span>
      </button>
      <label className="cloudml-JobRow-check">
        <input
          type="checkbox"
          checked={isSelected}
          tabIndex={tabIndex}
          aria-label={`Select ${job.name} ${sent}`.trim()}
          onChange={() => handlers.toggle(id)}
        />
      </label>
      <button
        type="button"
        className="cloudml-IconButton cloudml-JobRow-more"
        tabIndex={tabIndex}
        aria-haspopup="menu"
        aria-label={`More of ${job.name} ${sent}`.trim()}
        title="More"
        onClick={showMenu}
      >
        <ellipsesIcon.react tag="span" aria-hidden="true" />
      </button>
    </li>
  );
});

function sparkCurve(job: JobDocument): { values: readonly (number | null)[]; label: string } | null {
  const curve = mainCurve(job);
  return curve && curve.values.length > 1 ? { values: curve.values, label: curve.name } : null;
}
