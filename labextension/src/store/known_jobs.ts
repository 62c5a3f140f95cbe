/** The documents that the server has confirmed, and how each goes on: pure of requests and of time. */

import type { JobDelta, JobDocument } from '../documents/generated';
import { isFinal } from '../wording';
import { fold } from './fold';

interface Entry {
  seq: number;
  document: JobDocument;
  /** Whether it has its whole log and all its curves. */
  isWhole: boolean;
  /** Whether something was missed since. */
  isStale: boolean;
}

const MOST_HELD = 50;

/** What became of a delta. */
export type Taken = 'folded' | 'old' | 'gap' | 'unknown';

export class KnownJobs {
  readonly unknown = new Set<string>();
  session: string | null = null;

  document(id: string): JobDocument | undefined {
    return this.#entries.get(id)?.document;
  }

  isWhole(id: string): boolean {
    return this.#entries.get(id)?.isWhole === true;
  }

  /** Those that came since the last list, then the server's order, of those that are still there. */
  listed(): JobDocument[] {
    return [...new Set([...this.#fresh, ...this.#order])].flatMap(id => this.document(id) ?? []);
  }

  /** Another process of the server: what came before counts no more, and has to be asked anew. True if it is another. */
  enter(session: string): boolean {
    const isOther = this.session !== null && this.session !== session;
    this.session = session;
    if (isOther) {
      this.#entries.forEach(entry => (entry.isStale = true));
      this.unknown.clear();
      this.#held.clear();
    }
    return isOther;
  }

  /** Whether its whole document would have to be asked for. */
  lacks(id: string): boolean {
    const entry = this.#entries.get(id);
    return !this.unknown.has(id) && (!entry || entry.isStale || !entry.isWhole);
  }

  /** Those that go on have perhaps gone on unseen. */
  doubt(): void {
    this.#entries.forEach(entry => (entry.isStale ||= !isFinal(entry.document.state)));
  }

  /** It has come or gone: what is known of it, even that it is unknown, has to be asked anew. */
  reconsider(id: string): void {
    this.unknown.delete(id);
    this.#fresh.delete(id);
    const entry = this.#entries.get(id);
    if (entry) {
      entry.isStale = true;
    }
  }

  take(delta: JobDelta): Taken {
    const entry = this.#entries.get(delta.job);
    if (!entry || entry.isStale || delta.seq > entry.seq + 1) {
      this.#hold(delta);
      if (entry) {
        entry.isStale = true;
      }
      return entry ? 'gap' : 'unknown';
    }
    if (delta.seq <= entry.seq) {
      return 'old';
    }
    entry.document = fold(entry.document, delta);
    entry.seq = delta.seq;
    return 'folded';
  }

  /** A delta that cannot be taken yet is taken when the document that lies before it has come. */
  #hold(delta: JobDelta): void {
    this.#held.set(delta.job, [...(this.#held.get(delta.job) ?? []), delta].slice(-MOST_HELD));
  }

  #takeHeld(id: string): void {
    const deltas = this.#held.get(id) ?? [];
    this.#held.delete(id);
    deltas.sort((one, other) => one.seq - other.seq).forEach(delta => this.take(delta));
  }

  /** A document as the server has just told it; a brief one does not take the place of a whole one that is as new. */
  put(seq: number, document: JobDocument, isWhole: boolean): boolean {
    const before = this.#entries.get(document.id);
    this.unknown.delete(document.id);
    if (!before) {
      this.#fresh.add(document.id);
    }
    if (before && !before.isStale && (seq < before.seq || (seq === before.seq && before.isWhole && !isWhole))) {
      return false;
    }
    const kept = isWhole || !before ? document : { ...document, curves: before.document.curves, log: before.document.log };
    const isUpToDate = isWhole || !before?.isWhole;
    this.#entries.set(document.id, { seq, document: kept, isWhole: isWhole || !!before?.isWhole, isStale: !isUpToDate });
    if (isUpToDate) {
      this.#takeHeld(document.id);
    }
    return true;
  }

  /** A list that was made before a job came does not have it; the next one has to. */
  setOrder(ids: string[]): void {
    this.#order = ids;
    this.#fresh = new Set([...this.#fresh].filter(id => !ids.includes(id) && !this.#missed.has(id)));
    this.#missed = new Set(this.#fresh);
  }

  /** The server does not know it, or no longer. */
  forget(id: string): void {
    this.#entries.delete(id);
    this.#held.delete(id);
    this.#fresh.delete(id);
    this.unknown.add(id);
    this.#order = this.#order.filter(other => other !== id);
  }

  readonly #entries = new Map<string, Entry>();
  readonly #held = new Map<string, JobDelta[]>();
  #order: string[] = [];
  #fresh = new Set<string>();
  #missed = new Set<string>();
}
