/** The list of jobs: found, filtered, chosen for comparison, opened; by mouse or by keyboard alone. */

import { closeIcon } from '@jupyterlab/ui-components';
import { useCallback, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { IJobActions } from '../../tokens/actions';
import type { IJobStore } from '../../tokens/job_store';
import { useNow, useSignal } from '../signals';
import { JobFilters } from './job_filters';
import { filtered, NO_FILTER, notebooksOf, ordered } from './job_order';
import { JobRow, type RowHandlers } from './job_row';

const MOST_COMPARED = 8;
const NOW_STEP = 15;

export interface JobsViewProps {
  readonly store: IJobStore;
  readonly actions: IJobActions;
  showMenu(id: string, x: number, y: number): void;
}

export function JobsView({ store, actions, showMenu }: JobsViewProps) {
  useSignal(store.overviewChanged);
  useSignal(store.changed);
  const [filter, setFilter] = useState(NO_FILTER);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [focused, setFocused] = useState('');
  const list = useRef<HTMLUListElement>(null);
  const now = useNow(store, NOW_STEP);
  const all = ordered(store.jobs);
  const shown = filtered(all, filter);
  const selected = all.filter(job => chosen.has(job.id)).map(job => job.id);
  const current = shown.some(job => job.id === focused) ? focused : shown[0]?.id;

  const toggle = useCallback((id: string) => setChosen(before => toggled(before, id)), []);
  const handlers = useMemo<RowHandlers>(
    () => ({ open: id => actions.open(id), focus: setFocused, toggle, showMenu }),
    [actions, showMenu, toggle]
  );

  const onKeyDown = (event: KeyboardEvent<HTMLUListElement>) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-job]');
    const isOnName = (event.target as HTMLElement).classList.contains('cloudml-JobRow-open');
    if (event.key === ' ' && row && isOnName) {
      event.preventDefault();
      toggle(row.dataset['job'] as string);
    } else if (row && list.current && moved(list.current, row, event.key)) {
      event.preventDefault();
    }
  };

  return (
    <div className="cloudml-Jobs">
      <JobFilters filter={filter} notebooks={notebooksOf(all)} shown={shown.length} total={all.length} onChange={setFilter} />
      {all.length === 0 && store.status && (
        <p className="cloudml-Empty">
          No jobs yet. Put <code>%%ml_train</code> on the cell that trains a Keras model, and it runs as a job that is shown here.
        </p>
      )}
      <ul
        ref={list}
        className="cloudml-JobList"
        aria-label="Jobs"
        data-choosing={selected.length > 0 || undefined}
        onKeyDown={onKeyDown}
      >
        {shown.map(job => (
          <JobRow
            key={job.id}
            id={job.id}
            store={store}
            now={now}
            hasTwin={all.some(other => other !== job && other.name === job.name)}
            isCurrent={job.id === current}
            isSelected={chosen.has(job.id)}
            handlers={handlers}
          />
        ))}
      </ul>
      {selected.length > 0 && (
        <SelectionBar store={store} actions={actions} selected={selected} onClear={() => setChosen(new Set())} />
      )}
    </div>
  );
}

interface SelectionBarProps {
  readonly store: IJobStore;
  readonly actions: IJobActions;
  readonly selected: readonly string[];
  onClear(): void;
}

function SelectionBar({ store, actions, selected, onClear }: SelectionBarProps) {
  const recorded = selected.filter(id => store.document(id)?.artifacts.includes('tensorboard'));
  const canCompare = selected.length >= 2 && selected.length <= MOST_COMPARED;
  return (
    <div className="cloudml-SelectionBar" role="toolbar" aria-label="Selected jobs">
      <button
        type="button"
        className="cloudml-IconButton"
        aria-label="Clear the selection"
        title="Clear the selection"
        onClick={onClear}
      >
        <closeIcon.react tag="span" aria-hidden="true" />
      </button>
      <span>{selected.length} selected</span>
      <button
        type="button"
        className="cloudml-Button cloudml-mod-primary"
        disabled={!canCompare}
        title={canCompare ? undefined : `Select 2 to ${MOST_COMPARED} jobs`}
        onClick={() => actions.compare(selected)}
      >
        Compare
      </button>
      {store.status?.can_tensorboard && recorded.length > 0 && (
        <button type="button" className="cloudml-Button" onClick={() => void actions.tensorboard(recorded)}>
          TensorBoard
        </button>
      )}
    </div>
  );
}

function toggled(before: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const after = new Set(before);
  if (!after.delete(id)) {
    after.add(id);
  }
  return after;
}

/** Moves the focus to the row that an arrow key, Home or End names. */
function moved(list: HTMLElement, row: HTMLElement, key: string): boolean {
  const target =
    key === 'ArrowDown'
      ? row.nextElementSibling
      : key === 'ArrowUp'
        ? row.previousElementSibling
        : key === 'Home'
          ? list.firstElementChild
          : key === 'End'
            ? list.lastElementChild
            : null;
  target?.querySelector<HTMLElement>('.cloudml-JobRow-open')?.focus();
  return target !== null;
}
