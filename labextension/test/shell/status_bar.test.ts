/** The status bar's item: there from the first live job on, and of one opinion with everything else. */

import { expect, test, vi } from 'vitest';
import { RunningItem } from '../../src/shell/status_bar';
import { FakeStore, job } from '../panel/fake_store';

test('is not there until something runs, says the store’s one count, and stays when all has ended', () => {
  const store = new FakeStore();
  const open = vi.fn();
  const item = new RunningItem(store, open);
  expect(item.isActive).toBe(false);
  store.jobs = [job('1'), job('2', { state: 'QUEUED' })];
  store.counts = { running: 1, queued: 1 };
  store.overviewChanged.emit();
  expect(item.isActive).toBe(true);
  expect(item.node.textContent).toBe('1 running, 1 queued');
  store.jobs = [];
  store.counts = { running: 0, queued: 0 };
  store.overviewChanged.emit();
  expect([item.isActive, item.node.textContent]).toEqual([true, 'nothing runs']);
  item.node.querySelector('button')!.click();
  expect(open).toHaveBeenCalledOnce();
});
