/** Where a job's cell and its line are now: cells move, are edited and run again. */

import type { JobDocument } from '../documents/generated';

/** What is known of a cell of an open notebook. */
export interface CellFacts {
  readonly id: string;
  readonly source: string;
  readonly executionCount: number | null;
}

/** What to look for: the line that failed, else the cell that sent the job. */
export interface Target {
  readonly cellId: string | null;
  readonly executionCount: number | null;
  /** Counted from 1, the magic's line included. */
  readonly line: number | null;
  readonly text: string | null;
}

export function targetOf(job: Pick<JobDocument, 'failure' | 'origin'>): Target {
  const { failure, origin } = job;
  const line = failure?.line ?? null;
  return {
    cellId: failure?.cell_id ?? origin.cell_id,
    executionCount: countOf(failure?.cell ?? origin.cell),
    line,
    text: failure?.source.find(each => each.line === line)?.text ?? null
  };
}

export function findById(cells: readonly CellFacts[], target: Target): number {
  return target.cellId === null ? -1 : cells.findIndex(cell => cell.id === target.cellId);
}

/** The cell with the same number whose text is still the job's: a number alone may have gone to another cell. */
export function findByCount(cells: readonly CellFacts[], target: Target): number {
  if (target.executionCount === null) {
    return -1;
  }
  const sought = target.text?.trim() || '%%ml_';
  return cells.findIndex(cell => cell.executionCount === target.executionCount && cell.source.includes(sought));
}

/** The line in the cell as it is now, by its text: the nearest to where it was; null where it is not there any more. */
export function findLine(source: string, { line, text }: Target): number | null {
  const sought = text?.trim();
  const same = sought ? source.split('\n').flatMap((each, index) => (each.trim() === sought ? [index + 1] : [])) : [];
  const away = (each: number): number => Math.abs(each - (line ?? 0));
  return same.sort((one, other) => away(one) - away(other))[0] ?? null;
}

/** 14 of `In [14]`. */
function countOf(cell: string | null): number | null {
  const digits = cell?.match(/\[(\d+)\]/)?.[1];
  return digits === undefined ? null : Number(digits);
}
