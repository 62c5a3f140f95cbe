/** A job in full, and several side by side. */

import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PAGE } from '../src/parts/log_area';
import type { JobDocument } from '../src/documents/generated';
import { CompareView, rowsOf } from '../src/job_tab/compare_view';
import { followed } from '../src/parts/job_log';
import { JobView } from '../src/job_tab/job_view';
import { joined } from '../src/job_tab/use_full_curves';
import type { Api, LogLine } from '../src/server/api';
import './canvas_of_tests';
import { aJob } from './job_examples';
import { actionsOfTests, StoreOfTests } from './live_page';

const line = (number: number): LogLine => ({ time: number, severity: 'INFO', text: `line ${number}` });
const FULL = [{ name: 'loss', steps: [1, 1.5, 2], values: [0.9, 0.7, 0.5], validation: [1, 0.8, 0.6] }];

async function show(job: JobDocument, lines: LogLine[] = []) {
  const store = new StoreOfTests(job);
  const logs = vi.fn(() => Promise.resolve({ lines, more: false }));
  store.api = { curves: () => Promise.resolve(FULL), logs } as unknown as Api;
  const actions = actionsOfTests();
  const view = render(<JobView id={job.id} store={store} actions={() => actions} isShown smoothing={0} />);
  await act(async () => undefined);
  return { ...view, store, actions, logs };
}

afterEach(cleanup);

describe('a job’s tab', () => {
  it('shows every point, the parameters and the whole log', async () => {
    const job = aJob({ parameters: [{ name: 'batch', value: '32' }] });
    const { container } = await show(job, [line(1), line(2)]);
    expect(screen.getByRole('img', { name: /^loss: 3 points/ })).toBeTruthy();
    expect(screen.getByRole('rowheader', { name: 'batch' })).toBeTruthy();
    expect(container.querySelectorAll('.cloudml-LogArea .cloudml-Log-line').length).toBe(3);
  });

  it('goes on by what the store hears', async () => {
    const { store } = await show(aJob());
    const curves = [{ name: 'loss', steps: [1, 2, 3], values: [0.9, 0.5, 0.4], validation: [1, 0.6, 0.5] }];
    act(() => store.tell(aJob({ curves, log: [...aJob().log, line(1020)], updated_at: 1030 })));
    expect(screen.getByRole('img', { name: /^loss: 4 points, at last train 0.400/ })).toBeTruthy();
    expect(screen.getByText(/line 1020/)).toBeTruthy();
  });

  it('turns pages of a long log, and counts what is found', async () => {
    const { container } = await show(
      aJob({ log: [] }),
      Array.from({ length: 2500 }, (_, index) => line(index))
    );
    const rows = (): number => container.querySelectorAll('.cloudml-LogArea .cloudml-Log-line').length;
    expect(rows()).toBe(500);
    fireEvent.click(screen.getByRole('button', { name: 'Previous' }));
    expect(rows()).toBe(PAGE);
    expect(screen.getByText('1,001–2,000 of 2,500')).toBeTruthy();
    fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'line 249' } });
    expect(screen.getByText('11 of 2,500 lines')).toBeTruthy();
  });

  it('says so when there is no such job', () => {
    const store = new StoreOfTests();
    store.unknown.add('9');
    store.api = { curves: () => Promise.resolve([]) } as unknown as Api;
    render(<JobView id="9" store={store} actions={() => null} isShown smoothing={0} />);
    expect(screen.getByText(/no such job/)).toBeTruthy();
  });
});

describe('jobs side by side', () => {
  const one = aJob({
    id: '1',
    name: 'one',
    parameters: [
      { name: 'rate', value: '0.1' },
      { name: 'epochs', value: '5' }
    ]
  });
  const two = aJob({
    id: '2',
    name: 'two',
    parameters: [
      { name: 'rate', value: '0.2' },
      { name: 'epochs', value: '5' }
    ]
  });

  it('have one plot, a chooser of metrics, and a table that marks what differs', async () => {
    const store = new StoreOfTests(one, two);
    store.api = { curves: () => Promise.resolve(FULL) } as unknown as Api;
    const { container } = render(<CompareView ids={['1', '2']} store={store} isShown smoothing={0} />);
    await act(async () => undefined);
    expect(screen.getByRole('img', { name: /^loss: 3 points, at last one 0.500, one validation 0.600, two 0.500/ })).toBeTruthy();
    expect([...container.querySelectorAll('[data-differs="true"] th')].map(cell => cell.textContent)).toEqual(['rate']);
    expect((screen.getByLabelText('Metric') as HTMLSelectElement).value).toBe('loss');
  });

  it('differ not by the device that only one of them has named yet', () => {
    const where = (...places: string[]) =>
      rowsOf(
        places.map(place => aJob({ where: place, parameters: [] })),
        []
      )[0]?.cells;
    expect(where('this machine', 'this machine · CPU')).toEqual(['this machine', 'this machine']);
    expect(where('cloud · T4', 'cloud · A100')).toEqual(['cloud · T4', 'cloud · A100']);
  });

  it('have no value where one of them has no such step', async () => {
    const store = new StoreOfTests(one, two);
    const curves = (id: string) =>
      Promise.resolve(id === '1' ? FULL : [{ ...FULL[0], steps: [7], values: [0.1], validation: null }]);
    store.api = { curves } as unknown as Api;
    const { container } = render(<CompareView ids={['1', '2']} store={store} isShown smoothing={0} />);
    await act(async () => undefined);
    expect(container.querySelector('.cloudml-Plot')?.textContent).not.toContain('nan');
  });

  it('show last figures first, then where, then parameters', () => {
    expect(rowsOf([one, two], ['loss']).map(row => [row.name, ...row.cells])).toEqual([
      ['loss', '0.500', '0.500'],
      ['val_loss', '0.600', '0.600'],
      ['where', 'this machine · CPU', 'this machine · CPU'],
      ['rate', '0.1', '0.2'],
      ['epochs', '5', '5']
    ]);
  });
});

describe('what is loaded once', () => {
  it('goes on where it ends, without a line or a point twice', () => {
    expect(followed([line(1), line(2)], [line(2), line(3)]).map(each => each.time)).toEqual([1, 2, 3]);
    expect(followed([line(1)], [line(5)]).map(each => each.time)).toEqual([1, 5]);
    expect(followed([], [line(5)])).toEqual([line(5)]);
    const live = [{ name: 'loss', steps: [2, 3], values: [0.5, 0.4], validation: null }];
    expect(joined(FULL, live)[0]).toEqual({
      name: 'loss',
      steps: [1, 1.5, 2, 3],
      values: [0.9, 0.7, 0.5, 0.4],
      validation: [1, 0.8, 0.6, null]
    });
  });
});
