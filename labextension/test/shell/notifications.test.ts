/** A job's end is told as the user wants it; many ends together in one sentence. */

import { Notification } from '@jupyterlab/apputils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { JobDocument } from '../../src/documents/generated';
import type { IJobActions } from '../../src/tokens/actions';
import { endWords, tellEnds, tellFailures } from '../../src/shell/notifications';
import { DEFAULTS, type IPreferences, type Preferences } from '../../src/tokens/preferences';
import { curve, FakeStore, job, NOW } from '../panel/fake_store';

const FAILED = job('4', {
  state: 'FAILED',
  ended: NOW,
  failure: { message: 'The labels go up to 11.', cell: 'In [4]', cell_id: 'c', line: 7, source: [], next: null }
});
const DONE = job('5', { state: 'SUCCEEDED', started: NOW - 38, ended: NOW, curves: [curve('accuracy', [0.1], [0.852])] });

beforeEach(() => {
  vi.useFakeTimers();
  Notification.dismiss();
});
afterEach(() => vi.useRealTimers());

function begin(part: Partial<Preferences> = {}) {
  const store = new FakeStore();
  const actions = { goToCell: vi.fn(), open: vi.fn() };
  const preferences = { current: { ...DEFAULTS, ...part } } as IPreferences;
  const openPanel = vi.fn();
  tellEnds(store, actions as unknown as IJobActions, preferences, openPanel);
  const end = (...jobs: JobDocument[]): void => {
    jobs.forEach(each => store.ended.emit(each));
    vi.advanceTimersByTime(1000);
  };
  return { end, actions, openPanel };
}

const ends = (from: number, count: number, state: JobDocument['state']) =>
  Array.from({ length: count }, (_, index) => job(String(from + index), { state, ended: NOW }));
const told = () => Notification.manager.notifications.map(({ message, type }) => [type, message]);

test('a failure is told with its sentence, success with its metric, the end of a cancelled job plainly', () => {
  const { end } = begin();
  end(FAILED);
  end(DONE);
  end(job('6', { state: 'CANCELLED', started: NOW - 9, ended: NOW }));
  expect(told().reverse()).toEqual([
    ['error', 'job-4 failed: The labels go up to 11.'],
    ['success', 'job-5 succeeded in 38 s · val_accuracy 85.2 %'],
    ['info', 'job-6 was cancelled after 9 s']
  ]);
});

test('fifty-five ends are one sentence with the way to the panel, and stay until they are read where many failed', () => {
  const { end, openPanel } = begin();
  end(...ends(100, 50, 'SUCCEEDED'), ...ends(200, 4, 'FAILED'), ...ends(300, 1, 'CANCELLED'));
  expect(told()).toEqual([['error', '55 jobs ended: 50 succeeded, 4 failed, 1 cancelled']]);
  const { actions, autoClose } = Notification.manager.notifications[0]!.options;
  expect(autoClose).toBe(false);
  actions?.forEach(button => button.callback(new MouseEvent('click')));
  expect(actions?.map(button => button.label)).toEqual(['Open panel']);
  expect(openPanel).toHaveBeenCalledOnce();
});

test('a failure or two among many are told themselves too', () => {
  const { end } = begin();
  end(...ends(100, 10, 'SUCCEEDED'), FAILED);
  expect(told().reverse()).toEqual([
    ['info', '11 jobs ended: 10 succeeded, 1 failed'],
    ['error', 'job-4 failed: The labels go up to 11.']
  ]);
});

test('the buttons go to the cell and open the job', () => {
  const { end, actions } = begin();
  end(FAILED);
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
  const { end } = begin({ notifications });
  end(DONE);
  end(FAILED);
  expect(told().map(([kind]) => kind)).toEqual(kinds);
});

test('a job without metrics is told without', () => {
  expect(endWords({ ...DONE, curves: [] })).toBe('job-5 succeeded in 38 s');
});

test.each([
  ['all', [['error', 'The model was not deployed. It left no export.']]],
  ['none', []]
] as const)('with notifications %s, a deployment that came to nothing is told once: %j', (notifications, expected) => {
  const store = new FakeStore();
  tellFailures(store, { current: { ...DEFAULTS, notifications } } as IPreferences);
  const operation = {
    id: '1',
    kind: 'deploy',
    title: 'census',
    job: '7',
    done: false,
    stage: '',
    error: null,
    result: null
  } as const;
  const error = { reference: 'x', what: 'The model was not deployed.', why: 'It left no export.', next: '' };
  store.tellOperation(operation);
  store.tellOperation({ ...operation, done: true, error });
  store.tellOperation({ ...operation, done: true, error });
  expect(told()).toEqual(expected);
});
