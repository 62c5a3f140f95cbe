/**
 * One store for a page: what it asks, when it asks, and when it sleeps.
 *
 * In one file, though a long one: each of its stories is told of the same server and by the same clock.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PACKAGE_VERSION, type JobDocument } from '../src/documents/generated';
import type { Api, Operation } from '../src/server/api';
import { RequestError } from '../src/server/requests';
import { JobStore } from '../src/store/store';
import { aDelta, aJob } from './job_examples';

const ROOT = 'https://cloudml-magic.readthedocs.io/events/';
const GONE = new RequestError(404, { reference: 'server-half-missing', what: 'Missing.', why: '', next: '' });
const DOWN = new RequestError(0, { reference: 'server-unreachable', what: 'No answer.', why: '', next: '' });

/** The server as the store sees it: documents by id, and a record of what was asked when. */
class Server {
  session = 'one';
  jobs = new Map<string, { seq: number; document: JobDocument }>();
  asked: { what: string; at: number }[] = [];
  watches: boolean[] = [];
  problem: Error | null = null;
  more = false;
  running = 1;
  requests = { serverVersion: PACKAGE_VERSION as string | null, serverTime: NaN };

  put(document: JobDocument, seq = 1): void {
    this.jobs.set(document.id, { seq, document });
  }
  private record<T>(what: string, answer: () => T): Promise<T> {
    this.asked.push({ what, at: Date.now() });
    return this.problem ? Promise.reject(this.problem) : Promise.resolve(answer());
  }
  details = (ids: string[]) =>
    this.record(`details ${ids.join(',')}`, () => ({
      session: this.session,
      jobs: ids.flatMap(id => this.jobs.get(id) ?? []),
      unknown: ids.filter(id => !this.jobs.has(id))
    }));
  list = () =>
    this.record('list', () => ({
      session: this.session,
      jobs: [...this.jobs.values()],
      more: this.more,
      status: { session: this.session, running: this.running, queued: 0 }
    }));
  operation = (id: string) =>
    this.record(`operation ${id}`, () => ({ id, kind: 'deploy', title: 'census', done: true }) as Operation);
  watch = (_: string, visible: boolean) => {
    this.watches.push(visible);
    return Promise.resolve({ session: this.session, lease_seconds: 90 });
  };
}

let server: Server;
let store: JobStore;
let visibility: DocumentVisibilityState;

const told = (kind: string, fields: object): void => store.onEvent(null, { schema_id: ROOT + kind, ...fields });
const pass = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);
const look = (state: DocumentVisibilityState): void => {
  visibility = state;
  document.dispatchEvent(new Event('visibilitychange'));
};

beforeEach(() => {
  vi.useFakeTimers();
  visibility = 'visible';
  vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => visibility);
  server = new Server();
  const api = { ...server, jobs: server.list, requests: server.requests } as unknown as Api;
  store = new JobStore(api, () => 2);
});

afterEach(() => {
  store.dispose();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('the store', () => {
  it('asks for nothing and tells nobody until somebody watches', async () => {
    await pass(300_000);
    expect(server.asked).toEqual([]);
    expect(server.watches).toEqual([]);
  });

  it('confirms fifty cards by one request', async () => {
    for (let id = 1; id <= 50; id += 1) {
      server.put(aJob({ id: String(id), state: 'SUCCEEDED' }));
      store.watch(String(id));
    }
    await pass(5000);
    expect(server.asked.length).toBe(1);
    expect(store.document('50')?.id).toBe('50');
  });

  it('asks at most once a second in all, whatever is wanted', async () => {
    store.watchOverview();
    for (let second = 0; second < 60; second += 1) {
      const id = String(second);
      server.put(aJob({ id }), 5);
      store.watch(id);
      told('job/1', aDelta({ job: id, seq: 90 + second }));
      told('jobs/1', { session: 'one', jobs: [id] });
      void store.refresh();
      await pass(250);
    }
    await pass(20_000);
    const gaps = server.asked.slice(1).map((ask, index) => ask.at - server.asked[index]!.at);
    expect(server.asked.length).toBeGreaterThan(10);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1000);
  });

  it('folds pushes in order without asking, and tells them once a frame', async () => {
    server.put(aJob());
    store.watch('7');
    await pass(100);
    const changes: string[][] = [];
    store.changed.connect((_, ids) => changes.push([...ids]));
    told('job/1', aDelta({ seq: 2, set: { epoch: 4, updated_at: 1030 } }));
    told('job/1', aDelta({ seq: 3, set: { epoch: 5, updated_at: 1031 } }));
    told('job/1', aDelta({ seq: 3, set: { epoch: 1, updated_at: 1032 } }));
    expect(store.document('7')?.epoch).toBe(5);
    await pass(100);
    expect(changes).toEqual([['7']]);
    expect(server.asked.length).toBe(1);
  });

  it('knows whether it has the whole of a job, or what the list says of it', async () => {
    server.put(aJob());
    store.begin();
    await pass(100);
    expect([store.document('7')?.name, store.isWhole('7')]).toEqual(['census', false]);
    store.watch('7');
    await pass(2000);
    expect(store.isWhole('7')).toBe(true);
  });

  it('asks again where a push is missing, and takes those that came meanwhile', async () => {
    server.put(aJob());
    store.watch('7');
    await pass(100);
    server.put(aJob({ epoch: 4 }), 4);
    told('job/1', aDelta({ seq: 5, set: { step: 95, updated_at: 1031 } }));
    await pass(2000);
    const asked = () => server.asked.map(ask => ask.what).filter(what => what !== 'list');
    expect(asked()).toEqual(['details 7', 'details 7']);
    expect(store.document('7')).toMatchObject({ epoch: 4, step: 95 });
    told('job/1', aDelta({ seq: 6, set: { epoch: 5, updated_at: 1032 } }));
    expect(store.document('7')?.epoch).toBe(5);
    expect(asked().length).toBe(2);
  });

  it('knows which ids are unknown, and does not ask for them again', async () => {
    store.watch('9');
    await pass(60_000);
    expect(store.isUnknown('9')).toBe(true);
    expect(store.document('9')).toBeUndefined();
    expect(server.asked.length).toBe(1);
  });

  it('tells the end of a job once', async () => {
    server.put(aJob());
    store.watch('7');
    await pass(100);
    const ended: string[] = [];
    store.ended.connect((_, job) => ended.push(job.state));
    told('job/1', aDelta({ seq: 2, set: { state: 'SUCCEEDED', ended: 1100, updated_at: 1100 } }));
    told('job/1', aDelta({ seq: 3, set: { artifacts: ['export'], updated_at: 1101 } }));
    expect(ended).toEqual(['SUCCEEDED']);
  });

  it('polls only while a job runs and pushes are silent', async () => {
    server.put(aJob());
    store.watch('7');
    await pass(11_000);
    const silent = server.asked.length;
    expect(silent).toBeGreaterThan(3);
    for (let second = 0; second < 20; second += 1) {
      told('job/1', aDelta({ seq: 2 + second }));
      await pass(1000);
    }
    expect(server.asked.length).toBeLessThanOrEqual(silent + 1);
    told('job/1', aDelta({ seq: 22, set: { state: 'SUCCEEDED', ended: 1, updated_at: 2000 } }));
    const over = server.asked.length;
    await pass(120_000);
    expect(server.asked.length).toBe(over);
  });

  it('sleeps while the page is hidden, and catches up at once when it is not', async () => {
    server.put(aJob());
    store.watch('7');
    store.watchOverview();
    await pass(5000);
    look('hidden');
    const before = server.asked.length;
    told('job/1', aDelta({ seq: 40 }));
    await pass(600_000);
    expect(server.asked.length).toBe(before);
    expect(server.watches.at(-1)).toBe(false);
    server.put(aJob({ epoch: 5 }), 50);
    look('visible');
    await pass(4000);
    expect(store.document('7')?.epoch).toBe(5);
    expect(server.watches.at(-1)).toBe(true);
  });

  it('renews its lease every thirty seconds visible, every sixty hidden', async () => {
    server.put(aJob({ state: 'SUCCEEDED' }));
    store.watch('7');
    await pass(95_000);
    expect(server.watches).toEqual([true, true, true, true]);
    look('hidden');
    await pass(121_000);
    expect(server.watches.slice(4)).toEqual([false, false, false]);
  });

  it('asks for everything anew when the server is another process', async () => {
    server.put(aJob(), 9);
    store.watch('7');
    await pass(100);
    server.session = 'two';
    server.put(aJob({ epoch: 5 }), 1);
    told('job/1', aDelta({ session: 'two', seq: 2, set: { step: 3, updated_at: 1040 } }));
    await pass(2000);
    expect(store.document('7')).toMatchObject({ epoch: 5, step: 3 });
  });

  it('stops asking when the server half is missing, until it is told to', async () => {
    server.problem = GONE;
    store.watch('7');
    store.watchOverview();
    await pass(300_000);
    expect(server.asked.length).toBe(1);
    expect(store.health.state).toBe('server-missing');
    server.problem = null;
    server.put(aJob());
    const refreshed = store.refresh();
    await pass(5000);
    await refreshed;
    expect(store.health).toEqual({ state: 'well', words: null });
    expect(store.document('7')?.name).toBe('census');
  });

  it('tries again, ever more slowly, when the server does not answer', async () => {
    server.problem = DOWN;
    store.watchOverview();
    await pass(300_000);
    expect(store.health.state).toBe('unreachable');
    expect(server.asked.length).toBeGreaterThan(8);
    expect(server.asked.length).toBeLessThan(20);
    server.problem = null;
    await pass(31_000);
    expect(store.health.state).toBe('well');
  });

  it('says so when the halves are of different versions', async () => {
    server.requests.serverVersion = '9.9.9';
    store.watchOverview();
    await pass(100);
    expect(store.health.state).toBe('version-mismatch');
    expect(store.health.words?.next).toContain('pip install --upgrade cloudml-magic');
  });

  it('lists the jobs in the server’s order, and forgets those that are gone', async () => {
    server.put(aJob({ id: '2', state: 'SUCCEEDED' }));
    server.put(aJob({ id: '1', state: 'SUCCEEDED' }));
    store.watchOverview();
    await pass(3000);
    expect(store.jobs.map(job => job.id)).toEqual(['2', '1']);
    server.jobs.delete('2');
    told('jobs/1', { session: 'one', jobs: ['2'] });
    await pass(3000);
    expect(store.jobs.map(job => job.id)).toEqual(['1']);
  });

  it('notices that a job on screen is gone', async () => {
    server.put(aJob({ state: 'SUCCEEDED' }));
    store.watch('7');
    await pass(1000);
    server.jobs.delete('7');
    told('jobs/1', { session: 'one', jobs: ['7'] });
    await pass(1000);
    expect(store.document('7')).toBeUndefined();
    expect(store.isUnknown('7')).toBe(true);
  });

  it('follows an operation by asking where nothing is pushed', async () => {
    store.watchOverview();
    await pass(15_000);
    store.follow({ id: 'op', kind: 'deploy', title: 'census', job: null, done: false, stage: '', error: null, result: null });
    await pass(5000);
    expect(store.operations.get('op')?.done).toBe(true);
  });

  it('takes a push without jobs for a sign of life: a quiet job is not asked for again', async () => {
    server.put(aJob());
    store.watch('7');
    store.watchOverview();
    told('jobs/1', { session: 'one', jobs: [] });
    await pass(4000);
    const before = server.asked.length;
    for (let beat = 0; beat < 4; beat += 1) {
      told('jobs/1', { session: 'one', jobs: [] });
      await pass(5000);
    }
    expect(server.asked.length).toBe(before);
  });

  it('does not let events of others or damaged ones in', () => {
    const changes = vi.fn();
    store.operationChanged.connect(changes);
    store.onEvent(null, { schema_id: 'https://elsewhere/job/1', ...aDelta() });
    told('job/1', { ...aDelta(), seq: 'x' });
    told('operation/1', { session: 'one', operation: null });
    told('jobs/1', { session: 'one', jobs: 'all' });
    expect(changes).not.toHaveBeenCalled();
  });

  it('asks once when the page has started, and is silent ever after where nothing runs', async () => {
    server.put(aJob({ state: 'SUCCEEDED', ended: 1100 }));
    store.begin();
    await pass(300_000);
    expect(server.asked.map(ask => ask.what)).toEqual(['list']);
    expect(server.watches).toEqual([]);
    expect(store.jobs.length).toBe(1);
  });

  it('does not ask again after that one question, whatever came of it, and not for a hidden page', async () => {
    look('hidden');
    store.begin();
    await pass(60_000);
    expect(server.asked).toEqual([]);
    server.problem = DOWN;
    look('visible');
    await pass(300_000);
    expect(server.asked.map(ask => ask.what)).toEqual(['list']);
  });

  it('keeps up with what runs elsewhere from its first question on, with nothing of it on the screen', async () => {
    server.put(aJob());
    store.begin();
    await pass(2000);
    expect(server.watches).toEqual([true]);
    expect(store.counts).toEqual({ running: 1, queued: 0 });
    server.put(aJob({ state: 'SUCCEEDED', ended: Date.now() / 1000 }), 5);
    await pass(4000);
    expect(store.counts).toEqual({ running: 0, queued: 0 });
    const over = server.asked.length;
    await pass(300_000);
    expect(server.asked.length).toBe(over);
  });

  it('lists a job at once that is pushed or watched', async () => {
    store.begin();
    await pass(1000);
    server.put(aJob({ id: '8' }));
    told('jobs/1', { session: 'one', jobs: ['8'] });
    await pass(1100);
    expect(store.jobs.map(job => job.id)).toEqual(['8']);
    server.put(aJob({ id: '9' }));
    store.watch('9');
    await pass(1100);
    expect(store.jobs.map(job => job.id)).toEqual(['9', '8']);
  });

  it('keeps a job that came while the list was made, until a list has to have it', async () => {
    store.watchOverview();
    await pass(1000);
    server.put(aJob({ id: '8', state: 'SUCCEEDED' }));
    store.watch('8');
    await pass(1100);
    server.jobs.delete('8');
    void store.refresh();
    await pass(1100);
    expect(store.jobs.length).toBe(1);
    void store.refresh();
    await pass(1100);
    expect(store.jobs.length).toBe(0);
  });

  it.each(['watched', 'listed'])('tells the end of a job once that was over when it was first %s', async way => {
    const ended: string[] = [];
    store.ended.connect((_, job) => ended.push(job.id));
    await pass(10_000);
    server.put(aJob({ id: '8', state: 'SUCCEEDED', ended: Date.now() / 1000 - 2 }));
    server.put(aJob({ id: '9', state: 'SUCCEEDED', ended: Date.now() / 1000 - 11 }));
    if (way === 'watched') {
      store.watch('8');
      store.watch('9');
      await pass(1100);
    }
    store.watchOverview();
    await pass(1100);
    await Promise.all([store.refresh(), pass(2000)]);
    expect(ended).toEqual(['8']);
  });

  it('tells news from old by the server’s clock', async () => {
    server.requests.serverTime = Date.now() / 1000 - 100;
    const ended: string[] = [];
    store.ended.connect((_, job) => ended.push(job.id));
    server.put(aJob({ id: '8', state: 'SUCCEEDED', ended: Date.now() / 1000 - 99 }));
    server.put(aJob({ id: '9', state: 'SUCCEEDED', ended: Date.now() / 1000 - 101 }));
    store.begin();
    await pass(1000);
    expect(ended).toEqual(['8']);
  });

  it('has one count for all: what its jobs say, but where the list is cut among those that run', async () => {
    server.running = 4;
    server.put(aJob());
    server.put(aJob({ id: '8', state: 'QUEUED' }));
    store.begin();
    await pass(100);
    expect(store.status).toMatchObject({ running: 1, queued: 1 });
    told('job/1', aDelta({ seq: 2, set: { state: 'SUCCEEDED', ended: 1100, updated_at: 1100 } }));
    expect(store.status).toMatchObject({ running: 0, queued: 1 });
    server.jobs.delete('7');
    server.more = true;
    await Promise.all([store.refresh(), pass(2000)]);
    expect(store.counts).toMatchObject({ running: 4, queued: 0 });
  });

  it.each([
    ['a push', true],
    ['an attempt', false]
  ])('is right again soon after a pause that %s ends', async (_, isPushed) => {
    server.put(aJob());
    store.watchOverview();
    await pass(1000);
    server.problem = DOWN;
    await pass(90_000);
    server.problem = null;
    server.put(aJob({ id: '8' }));
    if (isPushed) {
      told('jobs/1', { session: 'one', jobs: ['8'] });
    }
    await pass(isPushed ? 2500 : 22_000);
    expect(store.jobs.map(job => job.id).sort()).toEqual(['7', '8']);
  });

  it('runs errands within its budget, one for each name, and those of a hidden page when it is seen', async () => {
    const done: [string, number][] = [];
    const errand = (name: string) => store.errand(name, () => Promise.resolve(void done.push([name, Date.now()])));
    server.put(aJob());
    store.watch('7');
    await pass(2000);
    ['one', 'two', 'one'].forEach(errand);
    await pass(5000);
    expect(done.map(([name]) => name)).toEqual(['one', 'two']);
    expect(done[1]![1] - done[0]![1]).toBeGreaterThanOrEqual(1000);
    look('hidden');
    errand('three');
    await pass(5000);
    expect(done.length).toBe(2);
    look('visible');
    await pass(5000);
    expect(done.length).toBe(3);
  });

  it('takes the clock of the server from what it tells', async () => {
    server.put(aJob({ updated_at: Date.now() / 1000 - 50 }));
    store.watch('7');
    await pass(100);
    expect(store.clockOffset).toBeCloseTo(50, 0);
  });
});
