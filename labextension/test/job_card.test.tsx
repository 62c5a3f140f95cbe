/** The job card, state by state; and the cards that lie. */

import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { JobCard } from '../src/cards/job_card';
import { confirmed } from '../src/cards/use_job';
import type { JobDocument } from '../src/documents/generated';
import type { Api } from '../src/server/api';
import { drawn } from './canvas_of_tests';
import { aJob } from './job_examples';
import { actionsOfTests, StoreOfTests } from './live_page';

const show = (payload: JobDocument, store = new StoreOfTests(payload), actions = actionsOfTests()) => {
  const view = render(<JobCard payload={payload} store={store} actions={actions} isShown />);
  return { ...view, store, actions };
};
const button = (words: string): HTMLElement => screen.getByRole('button', { name: new RegExp(`^${words}`) });
const names = (): string[] => screen.getAllByRole('button').map(each => each.textContent ?? '');

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const FAILURE = {
  message: 'The last layer has 10 outputs, the labels go up to 11.',
  next: 'Give Dense 12 units.',
  cell: 'In [14]',
  cell_id: 'abc',
  line: 7,
  source: [
    { line: 6, text: 'model.add(Dense(10))' },
    { line: 7, text: 'model.fit(train)' }
  ]
};

describe('a job card', () => {
  it('says of a queued job what it waits for', () => {
    show(aJob({ state: 'QUEUED', note: '2nd in line', epochs: null, curves: [], log: [] }));
    expect(screen.getByText('Queued')).toBeTruthy();
    expect(screen.getByText('this machine · CPU · 2nd in line')).toBeTruthy();
    expect(names()).toEqual(['Logs', 'Copy Python', 'Cancel']);
  });

  it('shows of a running job where it stands, its curves and its last lines', () => {
    const log = [1, 2, 3, 4, 5, 6].map(line => ({ time: line, severity: 'INFO' as const, text: `line ${line}` }));
    const { container } = show(aJob({ log, cost: { amount: 0.08, per_hour: 0.45, currency: 'USD' } }));
    expect(container.textContent).toContain('Epoch 3 of 5 · step 41 of 95');
    expect(screen.getByText('about 3 min left')).toBeTruthy();
    expect(container.textContent).toContain('$0.08 so far');
    expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('60');
    expect(screen.getByRole('img', { name: /^loss: 2 points, at last train 0.500, validation 0.600/ })).toBeTruthy();
    expect([...container.querySelectorAll('.cloudml-Log-line')].map(line => line.textContent?.slice(9))).toEqual([
      'line 3',
      'line 4',
      'line 5',
      'line 6'
    ]);
    fireEvent.click(screen.getByRole('button', { name: 'All lines' }));
    fireEvent.change(screen.getByLabelText('Search the log'), { target: { value: 'LINE 2' } });
    expect(screen.getByText('1 of 6 lines')).toBeTruthy();
  });

  it('counts the seconds by itself, by one text node', () => {
    vi.useFakeTimers({ now: 1_100_000 });
    const { container } = show(aJob());
    const elapsed = container.querySelector('.cloudml-Elapsed')!;
    expect(elapsed.textContent).toBe('1 min 35 s');
    act(() => void vi.advanceTimersByTime(2000));
    expect(elapsed.textContent).toBe('1 min 37 s');
  });

  it('offers of a finished job what it left', () => {
    const { actions } = show(aJob({ state: 'SUCCEEDED', ended: 1043, artifacts: ['export', 'tensorboard'] }));
    expect(names()).toEqual(['Deploy', 'TensorBoard', 'Logs', 'Copy Python', 'log scale']);
    expect(screen.getByText('in 38 s')).toBeTruthy();
    fireEvent.click(button('Deploy'));
    fireEvent.click(button('TensorBoard'));
    expect(actions.deploy).toHaveBeenCalledWith('7');
    expect(actions.tensorboard).toHaveBeenCalledWith(['7']);
  });

  it('offers nothing that it did not leave', () => {
    show(aJob({ state: 'SUCCEEDED', curves: [] }));
    expect(names()).toEqual(['Logs', 'Copy Python']);
  });

  it('tells of a failed job the cause and the line, and goes there', async () => {
    const { actions, container } = show(aJob({ state: 'FAILED', failure: FAILURE, curves: [] }));
    expect(container.textContent).toContain(`${FAILURE.message} ${FAILURE.next}`);
    expect(screen.getByText('In [14], line 7')).toBeTruthy();
    expect(container.querySelector('.cloudml-mod-hit code')?.textContent).toBe('model.fit(train)');
    actions.goToCell.mockResolvedValue(false);
    await act(async () => void fireEvent.click(button('Go to cell')));
    // The visitor says what it has not found; nothing is said twice.
    expect(container.querySelector('.cloudml-Banner')).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'model.fit(train)' }));
    expect(actions.goToCell).toHaveBeenCalledTimes(2);
  });

  it('keeps from its first picture the places of what will come, and at its end that of Cancel', () => {
    const { store, container } = show(aJob({ state: 'QUEUED', epochs: null, curves: [], log: [] }));
    const slots = (): string[] => [...container.querySelectorAll('.cloudml-Buttons button')].map(each => each.textContent ?? '');
    expect(slots()).toEqual(['TensorBoard', 'Logs', 'Copy Python', 'Cancel']);
    expect(container.querySelector('.cloudml-Charts.cloudml-mod-empty')).toBeTruthy();
    expect(container.querySelector('.cloudml-Log-tail.cloudml-mod-reserved')).toBeTruthy();
    expect(container.querySelector<HTMLElement>('.cloudml-Disclosure')?.hidden).toBe(true);
    act(() => store.tell(aJob({ state: 'SUCCEEDED', artifacts: ['export', 'tensorboard'], updated_at: 3000 })));
    expect(slots()).toEqual(['Deploy', 'TensorBoard', 'Logs', 'Copy Python', 'Cancel']);
    expect(names()).not.toContain('Cancel');
  });

  it('opens every line that the server has, not only those of the document', async () => {
    const log = Array.from({ length: 20 }, (_, line) => ({
      time: 80 + line,
      severity: 'INFO' as const,
      text: `line ${80 + line}`
    }));
    const whole = Array.from({ length: 100 }, (_, line) => ({ time: line, severity: 'INFO' as const, text: `line ${line}` }));
    const store = new StoreOfTests(aJob({ log }));
    const logs = vi.fn(() => Promise.resolve({ lines: whole, more: false }));
    store.api = { logs } as unknown as Api;
    show(aJob({ log }), store);
    await act(async () => void fireEvent.click(screen.getByRole('button', { name: 'All lines' })));
    fireEvent.change(screen.getByLabelText('Search the log'), { target: { value: 'line 3' } });
    expect(screen.getByText('11 of 100 lines')).toBeTruthy();
    const later = (line: number) =>
      aJob({ log: [{ time: line, severity: 'INFO', text: `line ${line}` }], updated_at: 2000 + line });
    act(() => store.tell(later(100)));
    await act(() => new Promise(done => setTimeout(done, 250)));
    act(() => store.tell(later(101)));
    await waitFor(() => expect(screen.getByText('11 of 102 lines')).toBeTruthy());
    expect(logs).toHaveBeenCalledOnce();
  });

  it('shows commands among words as code', () => {
    const store = new StoreOfTests(aJob());
    store.health = { state: 'server-missing', words: { reference: '', what: 'Half.', why: '', next: 'Run `pip install x`.' } };
    const { container } = show(aJob(), store);
    expect(container.querySelector('.cloudml-Banner code')?.textContent).toBe('pip install x');
    expect(container.querySelector('.cloudml-Banner')?.textContent).not.toContain('`');
  });

  it('folds a batch of warnings', () => {
    show(aJob({ warnings: ['one', 'two', 'three'] }));
    expect(screen.getByText('3 warnings').closest('details')?.open).toBe(false);
  });

  it('shows how a deployment goes', () => {
    const store = new StoreOfTests(aJob({ state: 'SUCCEEDED' }));
    show(aJob({ state: 'SUCCEEDED' }), store);
    const operation = {
      id: 'o',
      kind: 'deploy',
      title: 'another-name',
      job: '7',
      done: false,
      stage: 'copying',
      error: null,
      result: null
    } as const;
    store.operations.set('o', operation);
    store.operations.set('p', { ...operation, id: 'p', title: 'census', job: '8' });
    act(() => store.operationChanged.emit(operation));
    expect(screen.getByText('Deploying another-name · copying')).toBeTruthy();
  });

  it('moves with the store, at most five times a second, on the same plot', () => {
    vi.useFakeTimers();
    const { store, container } = show(aJob());
    const canvas = container.querySelector('canvas');
    const before = drawn.pictures;
    for (let step = 42; step < 92; step += 1) {
      act(() => {
        store.tell(
          aJob({ step, updated_at: 2000 + step, curves: [{ name: 'loss', steps: [1], values: [step], validation: null }] })
        );
        vi.advanceTimersByTime(20);
      });
    }
    act(() => void vi.advanceTimersByTime(200));
    expect(container.textContent).toContain('step 91 of 95');
    expect(container.querySelector('canvas')).toBe(canvas);
    expect(drawn.pictures - before).toBeLessThanOrEqual(7);
  });

  it('neither watches nor draws while it is not on the screen', () => {
    const { store, rerender, container, actions } = show(aJob());
    expect(store.watched).toEqual(['7']);
    rerender(<JobCard payload={aJob()} store={store} actions={actions} isShown={false} />);
    expect(store.watched).toEqual([]);
    act(() => store.tell(aJob({ epoch: 5, updated_at: 3000 })));
    expect(container.textContent).toContain('Epoch 3');
    rerender(<JobCard payload={aJob()} store={store} actions={actions} isShown />);
    expect(container.textContent).toContain('Epoch 5');
  });

  it('shows what it has when the server half is missing, and offers to ask again', () => {
    const store = new StoreOfTests();
    store.health = {
      state: 'server-missing',
      words: { reference: '', what: 'Half is missing.', why: 'Why.', next: 'Install it.' }
    };
    show(aJob(), store);
    expect(screen.getByText('Half is missing.')).toBeTruthy();
    expect(screen.getByText(/Epoch/)).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Retry' }));
    expect(store.refresh).toHaveBeenCalled();
  });

  it('keeps the output’s curves and log until the whole document is here', () => {
    const payload = aJob();
    const curves = ['loss', 'accuracy'].map(name => ({ name, steps: [1], values: [1], validation: null }));
    const brief = aJob({ curves, log: [], epoch: 4, updated_at: 1500 });
    expect(confirmed(payload, brief, false)).toEqual({ ...brief, curves: payload.curves, log: payload.log });
    expect(confirmed({ ...payload, curves: [] }, brief, false).curves).toBe(curves);
    const known = aJob({ updated_at: 1 });
    expect(confirmed({ ...payload, updated_at: 1e15, state: 'FAILED' }, known, true)).toBe(known);
    expect(confirmed(payload, undefined, false)).toBe(payload);
  });

  it('moves the one curve of a job that prints nothing', () => {
    const known = aJob({ log: [], curves: [{ name: 'loss', steps: [1, 2, 3], values: [3, 2, 1], validation: null }] });
    show(aJob(), new StoreOfTests(known));
    expect(screen.getByRole('img', { name: /^loss: 3 points, at last train 1.000/ })).toBeTruthy();
  });

  it('keeps its log where only the list has told of the job', () => {
    const store = new StoreOfTests(aJob({ state: 'SUCCEEDED', log: [] }));
    store.brief.add('7');
    show(aJob({ state: 'SUCCEEDED' }), store);
    expect(screen.getByText(/epoch 2 done/)).toBeTruthy();
  });
});

describe('a forged card', () => {
  const FORGED = aJob({ id: '666', state: 'FAILED', failure: FAILURE, artifacts: ['export', 'tensorboard'] });

  it.each([
    ['the server does not know', '666', true, 'This job is not known here.'],
    ['the server has not confirmed', '666', false, 'The server has not confirmed this job yet.'],
    ['has no id', '', false, 'The job is still being sent.']
  ])('that %s can do nothing', (_, id, isUnknown, refusal) => {
    for (const state of ['RUNNING', 'SUCCEEDED', 'FAILED'] as const) {
      const store = new StoreOfTests();
      if (isUnknown) {
        store.unknown.add(id);
      }
      const { actions, container } = show({ ...FORGED, id, state }, store);
      const buttons = within(container.querySelector('.cloudml-Buttons')!).getAllByRole('button');
      for (const each of buttons) {
        expect(each.getAttribute('aria-disabled')).toBe('true');
        expect(each.title).toBe(refusal);
        fireEvent.click(each);
      }
      expect(Object.values(actions).flatMap(action => action.mock.calls)).toEqual([]);
      cleanup();
    }
  });

  it('says calmly that the job is not known here', () => {
    const store = new StoreOfTests();
    store.unknown.add('666');
    show(FORGED, store);
    expect(screen.getByText('This card is from a notebook; the job is not known here.')).toBeTruthy();
  });

  it('hands the server’s document to actions, never its own', async () => {
    const known = aJob({ id: '666', name: 'honest', state: 'FAILED', failure: { ...FAILURE, cell_id: 'real' }, updated_at: 1 });
    const { actions } = show({ ...FORGED, updated_at: 9e9 }, new StoreOfTests(known));
    await act(async () => void fireEvent.click(button('Go to cell')));
    expect(actions.goToCell).toHaveBeenCalledWith(known, undefined);
  });
});
