/** The list of jobs, as its user finds, reads, chooses and opens them. */

import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { jobLine, mainMetric } from '../../src/panel/jobs/job_line';
import { filtered, NO_FILTER, ordered } from '../../src/panel/jobs/job_order';
import { JobsView } from '../../src/panel/jobs/jobs_view';
import type { IJobActions } from '../../src/tokens/actions';
import { expectAccessible, expectTextOnly, PAYLOADS } from './axe';
import { curve, FakeStore, job, NOW } from './fake_store';

const CLOUD = 'us-central1 · 1 × T4';
const FAILURE = { message: 'No.', cell: 'In [14]', cell_id: 'c', line: 7, source: [], next: null };

const RUNNING = job('2', {
  artifacts: ['tensorboard'],
  where: CLOUD,
  target: 'cloud',
  cost: { amount: 0.08, per_hour: 0.45, currency: 'USD' }
});
const WAITING = job('3', { state: 'QUEUED', note: '2nd in line' });
const NEXT = job('1', { state: 'QUEUED' });
const FAILED = job('4', { state: 'FAILED', ended: NOW - 180, failure: FAILURE });
const DONE = job('5', {
  state: 'SUCCEEDED',
  ended: NOW - 60,
  started: NOW - 98,
  curves: [curve('loss', [1, 0.5], [1, 0.6]), curve('accuracy', [0.1, 0.9], [0.1, 0.852])],
  origin: { notebook: '/home/ada/census.ipynb', cell: 'In [2]', cell_id: 'c' }
});
const ALL = [DONE, FAILED, WAITING, NEXT, RUNNING];

let actions: Record<'open' | 'compare' | 'tensorboard', ReturnType<typeof vi.fn>>;
let showMenu: ReturnType<typeof vi.fn<(id: string, x: number, y: number) => void>>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW * 1000 });
  actions = { open: vi.fn(), compare: vi.fn(), tensorboard: vi.fn(async () => {}) };
  showMenu = vi.fn();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function show(store: FakeStore) {
  return render(<JobsView store={store} actions={actions as unknown as IJobActions} showMenu={showMenu} />);
}

const names = () => [...document.querySelectorAll('.cloudml-JobRow-name')].map(each => each.textContent);
const row = (name: string) => screen.getByText(name).closest('li') as HTMLElement;
const opener = (name: string) => screen.getByText(name).closest('button') as HTMLElement;

test('what runs comes first, then what waits in its turn, then the newest', () => {
  expect(ordered(ALL).map(each => each.id)).toEqual(['2', '1', '3', '5', '4']);
});

test.each([
  [RUNNING, 'Epoch 13 of 20 · 1 × T4 · $0.08', ''],
  [WAITING, 'queued · this machine', '2nd in line'],
  [FAILED, 'failed · In [14], line 7', '3 min ago'],
  [DONE, 'val_accuracy · 38 s · this machine', '85.2 %'],
  [job('6', { state: 'PREPARING', note: 'installing keras' }), 'preparing · installing keras', ''],
  [job('7', { state: 'CANCELLED', ended: NOW - 5 }), 'cancelled · this machine', 'just now'],
  [job('8', { rows: '10 of 20 rows', kind: 'batch' }), '10 of 20 rows · CPU', '']
])('a row says in one line what matters in its state: %#', (document, detail, right) => {
  expect(jobLine(document, NOW)).toMatchObject({ detail, right });
});

test('the main metric is no loss where there is another, and of the validation where there is one', () => {
  expect(mainMetric(DONE)).toEqual({ name: 'val_accuracy', value: 0.852 });
  expect(mainMetric(job('9', { curves: [curve('loss', [2, 1])] }))).toEqual({ name: 'loss', value: 1 });
  expect(mainMetric(job('9'))).toBeNull();
});

test('filters go together', () => {
  const found = (part: object) => filtered(ALL, { ...NO_FILTER, ...part }).map(each => each.id);
  expect(found({ state: 'active' })).toEqual(['3', '1', '2']);
  expect(found({ state: 'active', target: 'cloud' })).toEqual(['2']);
  expect(found({ notebook: '/home/ada/census.ipynb' })).toEqual(['5']);
  expect(found({ search: 'T4' })).toEqual(['2']);
});

test('the search narrows the list, says so, and is cleared', () => {
  show(new FakeStore(ALL));
  fireEvent.change(screen.getByRole('searchbox', { name: 'Search jobs' }), { target: { value: 'job-4' } });
  expect(names()).toEqual(['job-4']);
  expect(screen.getByText('1 of 5')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Clear' }));
  expect(names()).toHaveLength(5);
});

test('filters wait behind a button, and what is filtered is said', () => {
  show(new FakeStore(ALL));
  expect(screen.queryByLabelText('State')).toBeNull();
  fireEvent.click(screen.getByRole('button', { name: 'Filters' }));
  fireEvent.change(screen.getByLabelText('State'), { target: { value: 'FAILED' } });
  expect(names()).toEqual(['job-4']);
  expect(screen.getByText(/1 of 5: failed/)).toBeTruthy();
});

test('a click opens a job; arrow keys move, Space selects, and only one row is in the way of Tab', () => {
  show(new FakeStore(ALL));
  fireEvent.click(opener('job-2'));
  expect(actions.open).toHaveBeenCalledWith('2');
  opener('job-2').focus();
  fireEvent.keyDown(opener('job-2'), { key: 'ArrowDown' });
  expect(document.activeElement).toBe(opener('job-1'));
  fireEvent.keyDown(opener('job-1'), { key: ' ' });
  expect(within(row('job-1')).getByRole<HTMLInputElement>('checkbox').checked).toBe(true);
  fireEvent.keyDown(opener('job-1'), { key: 'End' });
  expect(document.activeElement).toBe(opener('job-4'));
  expect([...document.querySelectorAll('.cloudml-JobRow-open[tabindex="0"]')]).toEqual([opener('job-4')]);
});

test('two to eight jobs can be compared; TensorBoard takes those that have something for it', () => {
  show(new FakeStore(ALL));
  const select = (name: string) => fireEvent.click(screen.getByRole('checkbox', { name: `Select ${name}` }));
  select('job-2');
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Compare' }).disabled).toBe(true);
  select('job-5');
  fireEvent.click(screen.getByRole('button', { name: 'Compare' }));
  expect(actions.compare).toHaveBeenCalledWith(['2', '5']);
  fireEvent.click(screen.getByRole('button', { name: 'TensorBoard' }));
  expect(actions.tensorboard).toHaveBeenCalledWith(['2']);
  fireEvent.click(screen.getByRole('button', { name: 'Clear the selection' }));
  expect(screen.queryByText('2 selected')).toBeNull();
});

test('the menu of a row opens by its button and by the right mouse button', () => {
  show(new FakeStore(ALL));
  fireEvent.click(screen.getByRole('button', { name: 'More of job-4' }));
  fireEvent.contextMenu(row('job-5'), { clientX: 20, clientY: 30 });
  expect(showMenu.mock.calls.map(([id]) => id)).toEqual(['4', '5']);
  expect(showMenu).toHaveBeenLastCalledWith('5', 20, 30);
});

test('jobs of one name are told apart by when they were sent', () => {
  const at = new Date(2026, 10, 21, 12, 41).getTime() / 1000;
  show(new FakeStore([job('1', { name: 'twin', created: at }), job('2', { name: 'twin', created: at + 60 }), job('3')]));
  const details = [...document.querySelectorAll('.cloudml-JobRow-detail')].map(each => each.textContent?.split(' · ')[0]);
  expect(details.sort()).toEqual(['12:41', '12:42', 'Epoch 13 of 20']);
  expect(screen.getByRole('button', { name: 'More of twin 12:41' })).toBeTruthy();
});

test('a change moves a row on without a new list from the server', () => {
  const store = new FakeStore([RUNNING]);
  show(store);
  act(() => store.change('2', { epoch: 14 }));
  expect(screen.getByText('Epoch 14 of 20 · 1 × T4 · $0.08')).toBeTruthy();
});

test('a running job shows its curve', () => {
  show(new FakeStore([job('1', { curves: [curve('loss', [3, 2, 1])] })]));
  expect(screen.getByRole('img', { name: 'loss' })).toBeTruthy();
});

test('of 200 rows a change draws one anew', () => {
  const store = new FakeStore(Array.from({ length: 200 }, (_, index) => job(String(index + 1))));
  show(store);
  expect(names()).toHaveLength(200);
  const reads = vi.spyOn(store, 'document');
  act(() => store.change('7', { epoch: 15 }));
  expect(new Set(reads.mock.calls.map(([id]) => id))).toEqual(new Set(['7']));
});

test('where there is no job yet, one sentence says how to begin', () => {
  show(new FakeStore([]));
  expect(document.querySelector('.cloudml-Empty')?.textContent).toContain('%%ml_train');
});

test('before the server has answered, nothing is said to be missing', () => {
  const store = new FakeStore([]);
  store.status = null;
  show(store);
  expect(document.querySelector('.cloudml-Empty')).toBeNull();
});

test.each(PAYLOADS)('%s stays text in every field', payload => {
  const hostile = { name: payload, where: payload, note: payload, rows: payload };
  const origin = { notebook: payload, cell: payload, cell_id: payload };
  const failure = { ...FAILURE, cell: payload, message: payload };
  const curves = [curve(payload, [1, 2, 3])];
  const states = ['RUNNING', 'QUEUED', 'PREPARING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
  const { container } = show(
    new FakeStore(states.map((state, index) => job(String(index), { ...hostile, state, origin, failure, curves, ended: NOW })))
  );
  fireEvent.click(screen.getByRole('button', { name: 'Filters' }));
  expect(screen.getAllByText(payload, { selector: '.cloudml-JobRow-name' })).toHaveLength(6);
  expectTextOnly(container);
});

test('everybody can use the list', async () => {
  const { container } = show(new FakeStore([...ALL, job('6', { curves: [curve('loss', [3, 2, 1])] })]));
  fireEvent.click(screen.getByRole('checkbox', { name: 'Select job-2' }));
  fireEvent.click(screen.getByRole('button', { name: 'Filters' }));
  vi.useRealTimers();
  await expectAccessible(container);
});
