/** The renderer of a job's output: painted at once, again for each update, and the end kept in the notebook. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { JOB_MIME, JobRenderer } from '../src/cards/job_renderer';
import { PREDICTION_MIME, PredictionRenderer } from '../src/cards/prediction_renderer';
import type { JobDocument } from '../src/documents/generated';
import type { Api } from '../src/server/api';
import './canvas_of_tests';
import { aJob } from './job_examples';
import { actionsOfTests, StoreOfTests } from './live_page';

const ENDED = aJob({ state: 'SUCCEEDED', ended: 1100, updated_at: 1100 });
const BUNDLE = { 'text/plain': 'census', 'text/html': '<b>census</b>', [JOB_MIME]: ENDED };

const modelOf = (data: unknown, mime = JOB_MIME) =>
  ({
    trusted: false,
    data: { [mime]: data },
    metadata: { kept: true },
    setData: vi.fn()
  }) as unknown as IRenderMime.IMimeModel & {
    setData: ReturnType<typeof vi.fn>;
  };
/** What has to be true soon, on a busy machine too. */
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5000 });
/** Time and turns: on a busy machine all of the time can pass within one turn of the loop. */
const pass = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn++) {
    await new Promise(resolve => setTimeout(resolve, 5));
  }
};

const shown: Widget[] = [];
async function show(payload: JobDocument, store: StoreOfTests, bundle: () => Promise<unknown> = () => Promise.resolve(BUNDLE)) {
  const asked = vi.fn(bundle);
  store.api = { bundle: asked } as unknown as Api;
  const renderer = new JobRenderer(store, actionsOfTests(), null);
  const model = modelOf(payload);
  Widget.attach(renderer, document.body);
  shown.push(renderer);
  await renderer.renderModel(model);
  await pass();
  return { renderer, model, asked };
}

afterEach(() => shown.splice(0).forEach(widget => widget.dispose()));

describe('a job’s output', () => {
  it('is painted without asking anybody', async () => {
    const store = new StoreOfTests();
    const { renderer, asked } = await show(aJob(), store);
    expect(renderer.node.textContent).toContain('Epoch 3 of 5');
    expect(asked).not.toHaveBeenCalled();
  });

  it('is painted anew for each update of its display', async () => {
    const { renderer } = await show(aJob(), new StoreOfTests());
    await renderer.renderModel(modelOf(aJob({ epoch: 4, updated_at: 1050 })));
    await pass();
    expect(renderer.node.textContent).toContain('Epoch 4 of 5');
    expect(renderer.node.querySelectorAll('article').length).toBe(1);
  });

  it('says so where it cannot be read', async () => {
    const { renderer } = await show({ schema: 99 } as unknown as JobDocument, new StoreOfTests());
    expect(renderer.node.textContent).toContain('not a card that this version');
  });

  it('leaves the end in the notebook, in every representation, once', async () => {
    const store = new StoreOfTests(aJob());
    const { model, asked } = await show(aJob(), store);
    expect(asked).not.toHaveBeenCalled();
    store.tell(ENDED);
    store.tell({ ...ENDED, artifacts: ['export'] });
    await pass();
    expect(asked).toHaveBeenCalledTimes(1);
    expect(model.setData).toHaveBeenCalledTimes(1);
    expect(model.setData).toHaveBeenCalledWith({ data: BUNDLE, metadata: { kept: true } });
  });

  it('also where the job ended before the page was opened', async () => {
    const { model } = await show(aJob(), new StoreOfTests(ENDED));
    expect(model.setData).toHaveBeenCalledTimes(1);
  });

  it('also where it was scrolled away, by a question of its own where the server was not heard of the job yet', async () => {
    const store = new StoreOfTests();
    const { renderer, model, asked } = await show(aJob(), store);
    (renderer as unknown as { setShown(isShown: boolean): void }).setShown(false);
    await soon(() => expect(store.watched).toEqual(['7']));
    store.tell(aJob({ epoch: 4 }));
    expect(store.watched).toEqual([]);
    expect(asked).not.toHaveBeenCalled();
    store.tell(ENDED);
    await pass();
    expect(model.setData).toHaveBeenCalledTimes(1);
  });

  it('waits for its turn: the requests of many cards are the page’s', async () => {
    const store = new StoreOfTests(ENDED);
    store.errand = vi.fn();
    const { asked } = await show(aJob(), store);
    await show(aJob(), store);
    expect(new Set(vi.mocked(store.errand).mock.calls.map(([name]) => name)).size).toBe(2);
    expect(asked).not.toHaveBeenCalled();
  });

  it('is tried again where the server has just gone, a few times', async () => {
    const { asked } = await show(aJob(), new StoreOfTests(ENDED), () => Promise.reject(new Error('gone')));
    await pass();
    expect(asked).toHaveBeenCalledTimes(5);
  });

  it.each([
    ['says the end already', ENDED, new StoreOfTests(ENDED)],
    ['is of a job that the server does not know', aJob(), new StoreOfTests()]
  ])('is left alone where it %s', async (_, payload, store) => {
    const { model, asked } = await show(payload, store);
    store.changed.emit(new Set(['7']));
    await pass();
    expect(asked).not.toHaveBeenCalled();
    expect(model.setData).not.toHaveBeenCalled();
  });

  it('takes no damaged bundle, and survives a place that cannot be written', async () => {
    const damaged = await show(aJob(), new StoreOfTests(ENDED), () => Promise.resolve({ 'text/html': 1 }));
    expect(damaged.model.setData).not.toHaveBeenCalled();
    const store = new StoreOfTests(aJob());
    const { renderer, model } = await show(aJob(), store);
    model.setData.mockImplementation(() => {
      throw new Error('read-only');
    });
    store.tell(ENDED);
    await soon(() => expect(renderer.node.textContent).toContain('Succeeded'));
  });

  it('lets go of the store with its widget', async () => {
    const store = new StoreOfTests(aJob());
    const { renderer } = await show(aJob(), store);
    await soon(() => expect(store.watched).toEqual(['7']));
    renderer.dispose();
    await soon(() => expect(store.watched).toEqual([]));
  });
});

describe('a prediction’s output', () => {
  it('says so where it cannot be read', async () => {
    const renderer = new PredictionRenderer();
    Widget.attach(renderer, document.body);
    shown.push(renderer);
    await renderer.renderModel(modelOf('nonsense', PREDICTION_MIME));
    await soon(() => expect(renderer.node.textContent).toContain('not a card'));
  });
});
