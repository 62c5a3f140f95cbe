/** Goes to the cell that sent a job, or to the line that failed, and marks it. */

import { Notification } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { type INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import type { Widget } from '@lumino/widgets';
import type { JobDocument } from '../documents/generated';
import { type CellFacts, findByCount, findById, findLine, type Target, targetOf } from './cell_place';
import { markLine, unmark } from './line_mark';
import { isSameNotebook, pathUnderRoot } from './notebook_paths';

export interface Notebooks {
  readonly tracker: INotebookTracker | null;
  readonly documents: IDocumentManager | null;
  /** The server's root folder, as the page was told it. */
  readonly root: string;
  activate(id: string): void;
}

/** Without a time, it would only be counted by the bell. */
const SEEN = { autoClose: 5000 };

interface Found {
  readonly panel: NotebookPanel;
  readonly index: number;
}

export class CellVisitor {
  constructor(private readonly notebooks: Notebooks) {}

  /** Shows the cell; false, and said so, where it is not there any more. */
  async visit(job: JobDocument, near?: Widget): Promise<boolean> {
    const target = targetOf(job);
    const found = this.search(job, target, near) ?? (await this.openAndSearch(job, target));
    if (!found) {
      const { failure, name } = job;
      const cell = (failure?.cell_id ?? failure?.cell) ? `in which ${name} failed` : `that sent ${name}`;
      Notification.warning(`The cell ${cell} is not in an open notebook any more.`, SEEN);
      return false;
    }
    await this.show(found, target);
    return true;
  }

  /** Among the open notebooks: by the cell's id, else by its number in the notebook that the job names or that is near. */
  private search(job: JobDocument, target: Target, near?: Widget): Found | null {
    const panels = this.candidates(near);
    const isHome = (panel: NotebookPanel) =>
      panel === panels.near || (job.origin.notebook !== null && isSameNotebook(job.origin.notebook, panel.context.path));
    return foundIn(panels.all, target, findById) ?? foundIn(panels.all.filter(isHome), target, findByCount);
  }

  private candidates(near?: Widget): { all: NotebookPanel[]; near: NotebookPanel | null } {
    const open: NotebookPanel[] = [];
    this.notebooks.tracker?.forEach(panel => open.push(panel));
    const first = open.find(panel => near !== undefined && (panel === near || panel.node.contains(near.node))) ?? null;
    return { all: first ? [first, ...open.filter(panel => panel !== first)] : open, near: first };
  }

  /** Opens the notebook that the server's document names, if the server has one there. */
  private async openAndSearch(job: JobDocument, target: Target): Promise<Found | null> {
    const { documents, root } = this.notebooks;
    const path = job.origin.notebook === null ? null : pathUnderRoot(job.origin.notebook, root);
    if (!documents || !path?.endsWith('.ipynb') || !(await isThere(documents, path))) {
      return null;
    }
    const panel = documents.openOrReveal(path);
    if (!(panel instanceof NotebookPanel)) {
      return null;
    }
    await panel.context.ready;
    await panel.revealed;
    return foundIn([panel], target, findById) ?? foundIn([panel], target, findByCount);
  }

  private async show({ panel, index }: Found, target: Target): Promise<void> {
    const notebook = panel.content;
    this.notebooks.activate(panel.id);
    notebook.activeCellIndex = index;
    const cell = notebook.widgets[index] as Cell;
    await notebook.scrollToCell(cell, 'center').catch(() => undefined);
    await cell.ready;
    const line = findLine(cell.model.sharedModel.getSource(), target);
    if (line) {
      showLine(cell, line);
    } else if (target.text) {
      Notification.info('The line that failed is not in this cell any more.', SEEN);
    }
  }
}

/** Puts the cursor on the line and marks it, until the cell runs again. */
function showLine(cell: Cell, line: number): void {
  const editor = cell.editor;
  if (!editor) {
    return;
  }
  editor.setCursorPosition({ line: line - 1, column: 0 });
  editor.revealPosition({ line: line - 1, column: 0 });
  editor.focus();
  markLine(editor, line);
  const letGo = (_: unknown, { cell: run }: { cell: Cell }) => {
    if (run === cell) {
      NotebookActions.executionScheduled.disconnect(letGo);
      unmark(editor);
    }
  };
  NotebookActions.executionScheduled.connect(letGo);
}

type Finder = (cells: readonly CellFacts[], target: Target) => number;

function foundIn(panels: readonly NotebookPanel[], target: Target, find: Finder): Found | null {
  for (const panel of panels) {
    const index = find(panel.content.widgets.map(factsOf), target);
    if (index >= 0) {
      return { panel, index };
    }
  }
  return null;
}

function factsOf({ model }: Cell): CellFacts {
  const count: unknown = model.type === 'code' ? (model as unknown as { executionCount: unknown }).executionCount : null;
  return { id: model.id, source: model.sharedModel.getSource(), executionCount: typeof count === 'number' ? count : null };
}

async function isThere(documents: IDocumentManager, path: string): Promise<boolean> {
  return documents.services.contents.get(path, { content: false }).then(
    model => model.type === 'notebook',
    () => false
  );
}
