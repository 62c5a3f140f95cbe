/** The few questions that the extension asks, and how it tells a problem: all words are set as text. */

import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { wordsOf } from './banner';

/** Tells what happened, why, and what to do next. */
export async function showErrorParts(problem: unknown): Promise<void> {
  const { what, why, next } = wordsOf(problem);
  await showDialog({ title: what, body: paragraphs([why, next], coded), buttons: [Dialog.okButton({ label: 'Close' })] });
}

/** Whether the user agrees; `button` names what will be done. */
export async function confirm(title: string, words: string, button: string): Promise<boolean> {
  const answer = await showDialog({
    title,
    body: paragraphs(words.split('\n')),
    buttons: [Dialog.cancelButton({ label: 'Keep' }), Dialog.warnButton({ label: button })],
    defaultButton: 0
  });
  return answer.button.accept;
}

/** A name from the user; null where they leave. */
export async function askForName(title: string, label: string, suggestion: string, button: string): Promise<string | null> {
  const { value } = await InputDialog.getText({ title, label, text: suggestion, okLabel: button });
  return value?.trim() || null;
}

/** One of several things, each shown by its words; null where the user leaves. */
export async function choose<Item>(title: string, items: readonly Item[], words: (item: Item) => string): Promise<Item | null> {
  const labels = items.map((item, index) => `${index + 1}. ${words(item)}`);
  const { value } = await InputDialog.getItem({ title, items: labels, okLabel: 'Choose' });
  return value === null ? null : (items[labels.indexOf(value)] ?? null);
}

/** Several things, each shown by its words; null where the user leaves. */
export async function chooseSeveral<Item>(
  title: string,
  items: readonly Item[],
  words: (item: Item) => string
): Promise<Item[] | null> {
  const labels = items.map((item, index) => `${index + 1}. ${words(item)}`);
  const { value } = await InputDialog.getMultipleItems({ title, items: labels, okLabel: 'Choose' });
  return value === null ? null : items.filter((_, index) => value.includes(labels[index] as string));
}

/** Does what may fail, and tells where it does; undefined then. */
export async function told<Result>(act: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await act();
  } catch (problem) {
    await showErrorParts(problem);
    return undefined;
  }
}

function paragraphs(lines: readonly string[], written = (line: string): (Node | string)[] => [line]): Widget {
  const body = new Widget();
  body.addClass('cloudml-DialogWords');
  for (const line of lines.filter(Boolean)) {
    const paragraph = document.createElement('p');
    paragraph.append(...written(line));
    body.node.append(paragraph);
  }
  return body;
}

/** What stands between backticks as code. */
function coded(line: string): (Node | string)[] {
  return line.split('`').map((part, index) => {
    const node = index % 2 ? document.createElement('code') : null;
    node?.append(part);
    return node ?? part;
  });
}
