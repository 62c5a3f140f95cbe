/** Models: what they serve, deletion in the server's words, and questions to them. */

import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import type { PredictionDocument } from '../../src/documents/generated';
import { ModelsView } from '../../src/panel/models/models_view';
import { faultOf } from '../../src/panel/models/picture_question';
import { read } from '../../src/panel/models/json_question';
import type { Api, Model, ModelInterface, ModelVersion, Operation } from '../../src/server/api';
import { RequestError } from '../../src/server/requests';
import { dialog, pressInDialog } from './asked';
import { expectAccessible, expectTextOnly, PAYLOADS } from './axe';
import { FakeStore, NOW, STATUS } from './fake_store';

afterEach(() => {
  cleanup();
  document.querySelectorAll('.jp-Dialog').forEach(each => each.remove());
});

const DEPLOYED = { traffic: 100, since: NOW, replicas: [1, 2] as [number, number], machine: 'this machine', message: '' };

function version(name: string, part: Partial<ModelVersion> = {}): ModelVersion {
  return {
    version: name,
    title: `census/${name}`,
    aliases: [],
    created: NOW,
    artifact_uri: 'gs://b/x',
    deployed: null,
    ...part
  };
}

const CENSUS: Model = {
  name: 'census',
  endpoint: 'projects/p/endpoints/7',
  versions: [version('2', { aliases: ['default'], deployed: DEPLOYED }), version('1')]
};

const TAKES_JSON: ModelInterface = {
  title: 'census',
  takes: 'json',
  picture: null,
  inputs: [],
  outputs: [],
  example: [[0, 0]],
  labels: []
};
const TAKES_PICTURES: ModelInterface = { ...TAKES_JSON, takes: 'picture', example: null };
const OPERATION: Operation = {
  id: '9',
  kind: 'deploy',
  title: 'census/1',
  job: null,
  done: false,
  stage: 'loading',
  error: null,
  result: null
};
const REFUSAL = new RequestError(400, { reference: 'x', what: 'It takes 2 numbers.', why: 'There are 3.', next: 'Give 2.' });

function fakeApi(part: Partial<Api> = {}): Api {
  return {
    models: vi.fn(async () => [CENSUS]),
    modelInterface: vi.fn(async () => TAKES_JSON),
    removalOf: vi.fn(async () => 'census/1: 3 files, 12 MB in gs://b/x'),
    deleteModel: vi.fn(async () => {}),
    deploy: vi.fn(async () => OPERATION),
    undeploy: vi.fn(async () => ({ ...OPERATION, kind: 'undeploy' as const, title: 'census/2' })),
    predictInstances: vi.fn(async () => ({ model: 'census' })),
    predictPictures: vi.fn(async () => ({ model: 'census' })),
    ...part
  } as unknown as Api;
}

async function show(api: Api = fakeApi()) {
  const store = new FakeStore([], api);
  const answer = (document: PredictionDocument) => <output>Answer of {document.model}</output>;
  const drawn = render(<ModelsView store={store} showAnswer={answer} />);
  await act(async () => {});
  return { store, api, ...drawn };
}

const button = (name: string) => screen.getByRole<HTMLButtonElement>('button', { name });
const press = async (element: Element) => act(async () => void fireEvent.click(element));

test('versions are grouped by model, with aliases, traffic and replicas', async () => {
  await show();
  const model = screen.getByRole('region', { name: 'census' });
  expect(within(model).getByText('endpoint 7')).toBeTruthy();
  expect(within(model).getByText('default')).toBeTruthy();
  expect(within(model).getByText('100 %')).toBeTruthy();
  expect(within(model).getByText(/1 to 2 replicas · this machine/)).toBeTruthy();
  expect(within(model).getByText(/not deployed/)).toBeTruthy();
});

test('deletion shows exactly the server’s words, and sends them back', async () => {
  const { api } = await show();
  await press(button('Delete census/1'));
  const asked = await dialog();
  expect(asked.textContent).toContain('Delete census/1?');
  expect(asked.textContent).toContain('census/1: 3 files, 12 MB in gs://b/x');
  await pressInDialog('Delete');
  await waitFor(() => expect(api.deleteModel).toHaveBeenCalledWith('census/1', 'census/1: 3 files, 12 MB in gs://b/x'));
});

test('who keeps a model deletes nothing', async () => {
  const { api } = await show();
  await press(button('Delete census/1'));
  await pressInDialog('Keep');
  await act(async () => {});
  expect(api.deleteModel).not.toHaveBeenCalled();
});

test('a refusal to delete is told with why and what to do', async () => {
  await show(fakeApi({ removalOf: vi.fn(() => Promise.reject(REFUSAL)) }));
  await press(button('Delete census/2'));
  expect((await dialog()).textContent).toMatch(/It takes 2 numbers\..*There are 3\..*Give 2\./);
  await pressInDialog('Close');
});

test('deploying is followed by its stage, and nothing else can be begun on that version meanwhile', async () => {
  const { store, api } = await show();
  await press(button('Deploy census/1'));
  expect(api.deploy).toHaveBeenCalledWith('census/1');
  expect(screen.getByText('loading …')).toBeTruthy();
  expect(button('Deploy census/1').disabled).toBe(true);
  await act(async () => store.tellOperation({ ...OPERATION, done: true, stage: '' }));
  expect(api.models).toHaveBeenCalledTimes(2);
  expect(screen.queryByText('loading …')).toBeNull();
});

test('a deployment that failed says why', async () => {
  const { store } = await show();
  await act(async () => store.tellOperation({ ...OPERATION, done: true, error: REFUSAL.parts }));
  expect(screen.getByText('It takes 2 numbers.')).toBeTruthy();
  await act(async () => store.tellOperation({ ...OPERATION, id: '10', done: true }));
  expect(screen.queryByText('It takes 2 numbers.')).toBeNull();
});

test('a job’s deployment is followed where its model is there already, and where it came to nothing', async () => {
  const { store } = await show();
  await act(async () => store.tellOperation({ ...OPERATION, title: 'census' }));
  expect(screen.getByText('census: loading')).toBeTruthy();
  await act(async () => store.tellOperation({ ...OPERATION, title: 'census', done: true, error: REFUSAL.parts }));
  expect(screen.getByText('It takes 2 numbers.')).toBeTruthy();
});

test('undeploying asks first', async () => {
  const { api } = await show();
  await press(button('Undeploy census/2'));
  await pressInDialog('Undeploy');
  await waitFor(() => expect(api.undeploy).toHaveBeenCalledWith('census/2'));
});

test('deploying asks first where it costs, and only there', async () => {
  const here = await show();
  await press(button('Deploy census/1'));
  expect(here.api.deploy).toHaveBeenCalledOnce();
  here.unmount();

  const { api, store } = await show();
  store.status = { ...STATUS, target: 'cloud' };
  await press(button('Deploy census/1'));
  expect((await dialog()).textContent).toContain('costs by the hour');
  expect(api.deploy).not.toHaveBeenCalled();
  await pressInDialog('Deploy');
  await waitFor(() => expect(api.deploy).toHaveBeenCalledOnce());
});

test('JSON begins with the model’s example; the answer is shown', async () => {
  const { api } = await show();
  await press(button('Try it: census'));
  const area = await waitFor(() => screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Instances as JSON' }));
  expect(JSON.parse(area.value)).toEqual([[0, 0]]);
  fireEvent.change(area, { target: { value: '[[1, 2]]' } });
  await press(button('Predict'));
  expect(api.predictInstances).toHaveBeenCalledWith('census', [[1, 2]]);
  expect(screen.getByText('Answer of census')).toBeTruthy();
});

test('what is no JSON is said before it is sent', async () => {
  await show();
  await press(button('Try it: census'));
  fireEvent.change(await waitFor(() => screen.getByRole('textbox')), { target: { value: '[[1, 2' } });
  expect(screen.getByText(/This is not JSON/)).toBeTruthy();
  expect(button('Predict').disabled).toBe(true);
  expect(read('').fault).toContain('Type a list');
  expect(read('{"a": 1}').fault).toContain('put [ and ]');
});

test('a refusal is shown beside the question', async () => {
  await show(fakeApi({ predictInstances: vi.fn(() => Promise.reject(REFUSAL)) }));
  await press(button('Try it: census'));
  await waitFor(() => screen.getByRole('textbox'));
  await press(button('Predict'));
  expect(screen.getByText('It takes 2 numbers.')).toBeTruthy();
});

test('pictures are dropped or pasted, and go as base64', async () => {
  const { api } = await show(fakeApi({ modelInterface: vi.fn(async () => TAKES_PICTURES) }));
  await press(button('Try it: census'));
  const zone = await waitFor(() => screen.getByRole('button', { name: /Drop pictures here/ }));
  const file = new File(['abc'], 'cat #1?.png', { type: 'image/png' });
  fireEvent.drop(zone, { dataTransfer: { files: [file] } });
  await waitFor(() => expect(api.predictPictures).toHaveBeenCalledWith('census', [{ name: 'cat #1?.png', content: 'YWJj' }]));
  await waitFor(() => screen.getByText('Answer of census'));
  fireEvent.paste(screen.getByRole('button', { name: /Drop pictures here/ }), { clipboardData: { files: [file] } });
  await waitFor(() => expect(api.predictPictures).toHaveBeenCalledTimes(2));
});

test('limits of pictures are said in words', () => {
  const picture = { name: 'a.png', size: 10, type: 'image/png' };
  expect(faultOf([picture])).toBe('');
  expect(faultOf([{ ...picture, type: 'text/html' }])).toBe('a.png is no picture.');
  expect(faultOf(Array(17).fill(picture))).toContain('17 pictures are more than the 16');
  expect(faultOf([{ ...picture, size: 11 * 1024 * 1024 }])).toContain('11.0 MB; at most 10 MB');
});

test('where models cannot be listed, it says why, and asks again', async () => {
  const models = vi.fn<Api['models']>().mockRejectedValueOnce(REFUSAL).mockResolvedValueOnce([]);
  await show(fakeApi({ models }));
  expect(screen.getByText('It takes 2 numbers.')).toBeTruthy();
  await press(button('Retry'));
  expect(screen.getByText(/No models yet/)).toBeTruthy();
});

test.each(PAYLOADS)('%s stays text in every field', async payload => {
  const hostile = version(payload, {
    title: payload,
    aliases: [payload],
    artifact_uri: payload,
    deployed: { ...DEPLOYED, machine: payload, message: payload }
  });
  const models = vi.fn(async () => [{ name: payload, endpoint: payload, versions: [hostile] }]);
  const { container, store } = await show(fakeApi({ models }));
  await act(async () => store.tellOperation({ ...OPERATION, title: payload, stage: payload }));
  await press(button(`Try it: ${payload}`));
  expect(screen.getAllByText(payload, { exact: false }).length).toBeGreaterThan(4);
  expectTextOnly(container);
});

test('everybody can use it', async () => {
  const { container } = await show();
  await press(button('Try it: census'));
  await expectAccessible(container);
});
