/** The way to a job's cell through the notebooks that are open. */

import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Widget } from '@lumino/widgets';
import { beforeEach, expect, test, vi } from 'vitest';
import { CellVisitor } from '../../src/shell/go_to_cell';
import { job } from '../panel/fake_store';

// The notebook's own module needs a browser; of it only a class and a signal are used here.
vi.mock('@jupyterlab/notebook', () => ({
  NotebookPanel: class {},
  NotebookActions: { executionScheduled: { connect: () => true, disconnect: () => true } }
}));

const SOURCE = '%%ml_train digits\nmodel.fit(x, y)';
const FAILED = job('1', {
  failure: {
    message: 'No.',
    cell: 'In [14]',
    cell_id: 'abc',
    line: 2,
    source: [{ line: 2, text: 'model.fit(x, y)' }],
    next: null
  },
  origin: { notebook: '/home/ada/train.ipynb', cell: 'In [14]', cell_id: 'abc' }
});

beforeEach(() => Notification.dismiss());

function cell(id: string, executionCount: number | null, source = SOURCE) {
  const editor = { setCursorPosition: vi.fn(), revealPosition: vi.fn(), focus: vi.fn() };
  const model = { id, type: 'code', executionCount, sharedModel: { getSource: () => source } };
  return { model, editor, ready: Promise.resolve() };
}

function notebook(path: string, ...cells: ReturnType<typeof cell>[]) {
  const node = document.createElement('div');
  const content = { widgets: cells, activeCellIndex: -1, scrollToCell: vi.fn(async () => {}) };
  return { id: path, node, context: { path }, content };
}

function begin(...panels: ReturnType<typeof notebook>[]) {
  const activate = vi.fn();
  const tracker = {
    forEach: (act: (panel: NotebookPanel) => void) => panels.forEach(each => act(each as unknown as NotebookPanel))
  };
  const notebooks = { tracker: tracker as unknown as INotebookTracker, documents: null, root: '/home/ada', activate };
  return { activate, visitor: new CellVisitor(notebooks) };
}

const words = () => Notification.manager.notifications.map(({ message }) => message);

test('the cell is found by its id, shown, and the cursor put on the line', async () => {
  const wanted = cell('abc', 20);
  const panel = notebook('train.ipynb', cell('x', 1), wanted);
  const { visitor, activate } = begin(notebook('other.ipynb', cell('y', 14)), panel);
  expect(await visitor.visit(FAILED)).toBe(true);
  expect(activate).toHaveBeenCalledWith('train.ipynb');
  expect(panel.content.activeCellIndex).toBe(1);
  expect(wanted.editor.setCursorPosition).toHaveBeenCalledWith({ line: 1, column: 0 });
  expect(words()).toEqual([]);
});

test('of two copies of a notebook the one that is near is taken', async () => {
  const [one, other] = [notebook('one.ipynb', cell('abc', 1)), notebook('other.ipynb', cell('abc', 1))];
  const { visitor, activate } = begin(one, other);
  await visitor.visit(FAILED, { node: other.node } as unknown as Widget);
  expect(activate).toHaveBeenCalledWith('other.ipynb');
});

test('a cell without its id is found by number and text, in the job’s own notebook only', async () => {
  const { visitor, activate } = begin(notebook('other.ipynb', cell('x', 14)), notebook('train.ipynb', cell('y', 14)));
  expect(await visitor.visit(FAILED)).toBe(true);
  expect(activate).toHaveBeenCalledWith('train.ipynb');
});

test('a line that has moved is followed', async () => {
  const wanted = cell('abc', 14, `# new\n${SOURCE}`);
  const { visitor } = begin(notebook('train.ipynb', wanted));
  expect(await visitor.visit(FAILED)).toBe(true);
  expect(wanted.editor.setCursorPosition).toHaveBeenCalledWith({ line: 2, column: 0 });
  expect(words()).toEqual([]);
});

test('where the line itself was replaced, the cell is shown, no other line is marked, and that is said', async () => {
  const wanted = cell('abc', 14, '%%ml_train digits\nmodel.fit(x, y[:10])');
  const panel = notebook('train.ipynb', wanted);
  const { visitor } = begin(panel);
  expect(await visitor.visit(FAILED)).toBe(true);
  expect(panel.content.activeCellIndex).toBe(0);
  expect(wanted.editor.setCursorPosition).not.toHaveBeenCalled();
  expect(words()).toEqual(['The line that failed is not in this cell any more.']);
});

test('a cell that is gone is said to be, which of the two it was, and for long enough to be seen', async () => {
  const { visitor, activate } = begin(notebook('train.ipynb', cell('x', 3)));
  expect(await visitor.visit(FAILED)).toBe(false);
  expect(await visitor.visit(job('2', { origin: { notebook: null, cell: 'In [9]', cell_id: 'gone' } }))).toBe(false);
  expect(activate).not.toHaveBeenCalled();
  expect(words().reverse()).toEqual([
    'The cell in which job-1 failed is not in an open notebook any more.',
    'The cell that sent job-2 is not in an open notebook any more.'
  ]);
  expect(Notification.manager.notifications.map(({ options }) => options.autoClose)).toEqual([5000, 5000]);
});
