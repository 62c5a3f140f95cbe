/** A job's end is told once, as the user wants it, and never for what ended before the page was there. */

import { Notification } from '@jupyterlab/apputils';
import { beforeEach, expect, test, vi } from 'vitest';
import type { IJobActions } from '../../src/tokens/actions';
import { endWords, tellEnds } from '../../src/shell/notifications';
import { DEFAULTS, type IPreferences, type Preferences } from '../../src/tokens/preferences';
import { curve, FakeStore, job, NOW } from '../panel/fake_store';

const FAILED = job('4', {
  state: 'FAILED',
  ended: NOW,
  failure: { message: 'The labels go up to 11.', cell: 'In [4]', cell_id: 'c', line: 7, source: [], next: null }
});
const DONE = job('5', { state: 'SUCCEEDED', started: NOW - 38, ended: NOW, curves: [curve('accuracy', [0.1], [0.852])] });

beforeEach(() => Notification.dismiss());

function begin(part: Partial<Preferences> = {}) {
  const store = new FakeStore();
  const actions = { goToCell: vi.fn(), open: vi.fn() };
  const preferences = { current: { ...DEFAULTS, ...part } } as IPreferences;
  tellEnds(store, actions as unknown as IJobActions, preferences, NOW - 10);
  return { store, actions };
}

const told = () => Notification.manager.notifications.map(({ message, type }) => [type, message]);

test('a failure is told with its sentence, success with its metric, the end of a cancelled job plainly', () => {
  const { store } = begin();
  store.ended.emit(FAILED);
  store.ended.emit(DONE);
  store.ended.emit(job('6', { state: 'CANCELLED', started: NOW - 9, ended: NOW }));
  expect(told().reverse()).toEqual([
    ['error', 'job-4 failed: The labels go up to 11.'],
    ['success', 'job-5 succeeded in 38 s · val_accuracy 85.2 %'],
    ['info', 'job-6 was cancelled after 9 s']
  ]);
});

test('each job is told once', () => {
  const { store } = begin();
  store.ended.emit(DONE);
  store.ended.emit(DONE);
  expect(told()).toHaveLength(1);
});

test('what ended before the page was loaded is no news', () => {
  const { store } = begin();
  store.ended.emit({ ...DONE, ended: NOW - 11 });
  expect(told()).toEqual([]);
});

test('the buttons go to the cell and open the job', () => {
  const { store, actions } = begin();
  store.ended.emit(FAILED);
  const buttons = Notification.manager.notifications[0]?.options.actions ?? [];
  buttons.forEach(button => button.callback(new MouseEvent('click')));
  expect(buttons.map(button => button.label)).toEqual(['Go to cell', 'Open']);
  expect(actions.goToCell).toHaveBeenCalledWith(FAILED);
  expect(actions.open).toHaveBeenCalledWith('4');
});

test.each([
  ['failures', ['error']],
  ['none', []]
] as const)('with notifications %s, %j are told', (notifications, kinds) => {
  const { store } = begin({ notifications });
  store.ended.emit(DONE);
  store.ended.emit(FAILED);
  expect(told().map(([kind]) => kind)).toEqual(kinds);
});

test('a job without metrics is told without', () => {
  expect(endWords({ ...DONE, curves: [] })).toBe('job-5 succeeded in 38 s');
});
