/** The panel around its views: tabs, the banner above, the status line below, and its sleep while hidden. */

import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';
import { afterEach, expect, test, vi } from 'vitest';
import { Panel } from '../../src/panel/panel';
import { PanelWidget } from '../../src/panel/panel_widget';
import { StatusLine } from '../../src/panel/status_line';
import type { PanelTab } from '../../src/panel/tabs';
import type { IJobActions } from '../../src/tokens/actions';
import { expectAccessible } from './axe';
import { FakeStore, job, STATUS } from './fake_store';

afterEach(cleanup);

const STOPPED = { state: 'stopped' as const, words: 'The platform is stopped.' };
const WORDS = { reference: 'server-half-missing', what: 'Missing.', why: 'No routes.', next: 'Install it.' };

function show(store: FakeStore, tab: PanelTab = 'jobs') {
  const onTab = vi.fn();
  const rest = { actions: {} as IJobActions, showMenu: vi.fn(), showAnswer: () => null };
  return { onTab, ...render(<Panel store={store} tab={tab} onTab={onTab} {...rest} />) };
}

test('arrow keys go around the tabs', () => {
  const { onTab } = show(new FakeStore());
  fireEvent.keyDown(screen.getByRole('tab', { name: 'Jobs' }), { key: 'ArrowRight' });
  fireEvent.keyDown(screen.getByRole('tab', { name: 'Jobs' }), { key: 'ArrowLeft' });
  fireEvent.keyDown(screen.getByRole('tab', { name: 'Jobs' }), { key: 'x' });
  expect(onTab.mock.calls).toEqual([['models'], ['buckets']]);
  expect(screen.getByRole('tabpanel', { name: 'Jobs' })).toBeTruthy();
});

test('a missing server half is said above, with what to do and Retry', () => {
  const store = new FakeStore();
  store.health = { state: 'server-missing', words: WORDS };
  show(store);
  expect(screen.getByText(/No routes\..*Install it\./)).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Retry' }));
  expect(store.refresh).toHaveBeenCalledOnce();
  store.health = { state: 'well', words: null };
  act(() => store.overviewChanged.emit());
  expect(screen.queryByText('Missing.')).toBeNull();
});

test.each([
  [STATUS, 'Platform up, 1 running'],
  [{ ...STATUS, running: 0, queued: 2 }, 'Platform up, 2 queued'],
  [{ ...STATUS, running: 0 }, 'Platform up, nothing runs'],
  [{ ...STATUS, cost_per_hour: 0.45, currency: 'USD', target: 'cloud' as const }, 'Cloud, 1 running$0.45 / h'],
  [{ ...STATUS, running: 0, platform: STOPPED }, 'The platform is stopped. '],
  [{ ...STATUS, platform: STOPPED, cost_per_hour: 0.45 }, 'The platform is stopped. 1 running$0.45 / h'],
  [{ ...STATUS, running: 0, target: 'cloud' as const, platform: STOPPED }, 'Cloud, nothing runs'],
  [{ ...STATUS, running: 0, platform: { state: 'unreachable' as const, words: '' } }, 'Platform does not answer. ']
])('the status line says how the platform is: %#', (status, words) => {
  const { container } = render(<StatusLine status={status} />);
  expect(container.textContent).toBe(words);
});

test('the store is kept awake while the panel is on screen, and no longer', async () => {
  const store = new FakeStore([job('1')]);
  const panel = new PanelWidget(store, {} as IJobActions, new CommandRegistry());
  Widget.attach(panel, document.body);
  expect(store.watched).toBe(1);
  panel.hide();
  expect(store.watched).toBe(0);
  panel.show();
  expect(store.watched).toBe(1);
  panel.dispose();
  expect(store.watched).toBe(0);
});

test('what is dropped beside a place for it is not opened by the browser', () => {
  const panel = new PanelWidget(new FakeStore(), {} as IJobActions, new CommandRegistry());
  Widget.attach(panel, document.body);
  for (const type of ['dragover', 'drop']) {
    const event = new Event(type, { bubbles: true, cancelable: true });
    panel.node.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
  }
  panel.dispose();
});

test('everybody can use it', async () => {
  const store = new FakeStore([job('1')]);
  store.health = { state: 'server-missing', words: WORDS };
  await expectAccessible(show(store).container);
});
