/** Where a job's line is now, and the mark on it. */

import { EditorState, StateEffect } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { describe, expect, test } from 'vitest';
import { findByCount, findById, findLine, targetOf } from '../../src/shell/cell_place';
import { markLine, unmark } from '../../src/shell/line_mark';
import { isSameNotebook, pathUnderRoot } from '../../src/shell/notebook_paths';
import { job } from '../panel/fake_store';

const SOURCE = '%%ml_train digits\nmodel = build()\nmodel.fit(x, y)';
const FAILED = job('1', {
  failure: {
    message: 'No.',
    cell: 'In [14]',
    cell_id: 'abc',
    line: 3,
    source: [
      { line: 2, text: 'model = build()' },
      { line: 3, text: 'model.fit(x, y)' }
    ],
    next: null
  }
});
const TARGET = targetOf(FAILED);
const cell = (id: string, executionCount: number | null, source = SOURCE) => ({ id, executionCount, source });

test('the line that failed is sought, else the cell that sent the job', () => {
  expect(TARGET).toEqual({ cellId: 'abc', executionCount: 14, line: 3, text: 'model.fit(x, y)' });
  const sent = job('2', { origin: { notebook: null, cell: 'In [3]', cell_id: 'def' } });
  expect(targetOf(sent)).toEqual({ cellId: 'def', executionCount: 3, line: null, text: null });
});

test('a cell is found by its id, wherever it has moved', () => {
  expect(findById([cell('x', 1), cell('abc', 99)], TARGET)).toBe(1);
  expect(findById([cell('x', 14)], TARGET)).toBe(-1);
});

test('without the id, its number and the line’s text together find it; one alone does not', () => {
  expect(findByCount([cell('x', 14, 'print(1)'), cell('y', 13)], TARGET)).toBe(-1);
  expect(findByCount([cell('x', 13), cell('y', 14)], TARGET)).toBe(1);
});

describe('the line', () => {
  test('is where it was', () => expect(findLine(SOURCE, TARGET)).toBe(3));
  test('is followed to where its text has gone', () => expect(findLine(`# new\n${SOURCE}`, TARGET)).toBe(4));
  test('is the nearest of several with the same text', () =>
    expect(findLine('model.fit(x, y)\n\n\nmodel.fit(x, y)', TARGET)).toBe(4));
  test('is none when its text is gone: what stands there now is innocent', () =>
    expect(findLine('other\n\nother', TARGET)).toBeNull());
  test('is none where the job names none', () => expect(findLine(SOURCE, { ...TARGET, line: null, text: null })).toBeNull());
});

test.each([
  ['/home/ada/work/a.ipynb', 'work/a.ipynb', true],
  ['/home/ada/work/a.ipynb', 'RTC:work/a.ipynb', true],
  ['work/a.ipynb', 'work/a.ipynb', true],
  ['/home/ada/work/ba.ipynb', 'a.ipynb', false],
  ['/home/ada/a.ipynb', '', false]
])('%s is the open notebook %s: %s', (named, path, isSame) => expect(isSameNotebook(named, path)).toBe(isSame));

test.each([
  ['/home/ada/work/a.ipynb', '/home/ada', 'work/a.ipynb'],
  ['/home/ada/work/a.ipynb', '~/work', 'a.ipynb'],
  ['/root/a.ipynb', '~', 'a.ipynb'],
  ['/srv/a.ipynb', '/home/ada', null],
  ['/home/ada/a.ipynb', '', null],
  ['work/a.ipynb', '/home/ada', 'work/a.ipynb'],
  ['../a.ipynb', '/home/ada', null],
  ['/home/ada/../../x.ipynb', '/home/ada', null]
])('%s under %s is %s', (named, root, path) => expect(pathUnderRoot(named, root)).toBe(path));

describe('the mark', () => {
  const editor = () => {
    const view = new EditorView({ state: EditorState.create({ doc: SOURCE }), parent: document.body });
    return {
      editor: view,
      injectExtension: (extension: never) => view.dispatch({ effects: StateEffect.appendConfig.of(extension) })
    };
  };
  const marked = (view: EditorView) => [...view.dom.querySelectorAll('.cloudml-MarkedLine')].map(line => line.textContent);

  test('is on the line, and moves with the next one', () => {
    const one = editor();
    expect(markLine(one, 3)).toBe(true);
    expect(marked(one.editor)).toEqual(['model.fit(x, y)']);
    markLine(one, 2);
    expect(marked(one.editor)).toEqual(['model = build()']);
  });

  test('goes when the cell is edited or run again', () => {
    const one = editor();
    markLine(one, 3);
    one.editor.dispatch({ changes: { from: 0, insert: '#' } });
    expect(marked(one.editor)).toEqual([]);
    markLine(one, 3);
    unmark(one);
    expect(marked(one.editor)).toEqual([]);
  });

  test('is refused where there is no such line or no such editor', () => {
    expect(markLine(editor(), 9)).toBe(false);
    expect(markLine({}, 1)).toBe(false);
    expect(markLine(null, 1)).toBe(false);
  });
});
