/** Marks a line of a cell's editor until the cell is edited or run again. */

import { StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';
import type { Extension } from '@codemirror/state';

/** What of JupyterLab's CodeMirror editor is used here. */
interface MarkableEditor {
  readonly editor: EditorView;
  injectExtension(extension: Extension): void;
}

const setMark = StateEffect.define<number | null>();
const LINE = Decoration.line({ class: 'cloudml-MarkedLine' });

const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(before, change) {
    const wanted = change.effects.find(effect => effect.is(setMark));
    if (wanted) {
      return wanted.value === null
        ? Decoration.none
        : Decoration.set([LINE.range(change.state.doc.line(wanted.value as number).from)]);
    }
    return change.docChanged ? Decoration.none : before;
  },
  provide: field => EditorView.decorations.from(field)
});

/** Marks a line, counted from 1; false where the editor is of another kind. */
export function markLine(editor: unknown, line: number): boolean {
  if (!isMarkable(editor) || line < 1 || line > editor.editor.state.doc.lines) {
    return false;
  }
  if (editor.editor.state.field(marked, false) === undefined) {
    editor.injectExtension(marked);
  }
  editor.editor.dispatch({ effects: setMark.of(line) });
  return true;
}

export function unmark(editor: unknown): void {
  if (isMarkable(editor) && editor.editor.state.field(marked, false) !== undefined) {
    editor.editor.dispatch({ effects: setMark.of(null) });
  }
}

function isMarkable(editor: unknown): editor is MarkableEditor {
  const candidate = editor as Partial<MarkableEditor> | null;
  return typeof candidate?.injectExtension === 'function' && candidate.editor instanceof EditorView;
}
