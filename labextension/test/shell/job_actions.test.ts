/** What can be done with a job: nothing ends or goes unasked, and each refusal is told. */

import { act, waitFor } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { RequestError } from '../../src/server/requests';
import type { Api, Operation } from '../../src/server/api';
import { JobActions, modelName, pythonOf } from '../../src/shell/job_actions';
import { dialog, pressInDialog } from '../panel/asked';
import { FakeStore, job } from '../panel/fake_store';

const REFUSAL = new RequestError(409, {
  reference: 'x',
  what: 'It runs still.',
  why: 'Epoch 3.',
  next: 'Cancel it first: `%ml_cancel <b>`.'
});
const OPERATION: Operation = {
  id: '1',
  kind: 'deploy',
  title: 'digits',
  job: '7',
  done: false,
  stage: '',
  error: null,
  result: null
};

afterEach(() => document.querySelectorAll('.jp-Dialog').forEach(each => each.remove()));

function begin(part: Partial<Api> = {}) {
  const api = {
    cancel: vi.fn(async () => {}),
    deletionOf: vi.fn(async () => 'its folder with 3 files'),
    deleteJob: vi.fn(async () => {}),
    deployJob: vi.fn(async () => OPERATION),
    tensorboard: vi.fn(async () => '/base/cloudml/v1/tensorboard/k/'),
    ...part
  };
  const store = new FakeStore([job('7', { name: 'digits~2' })], api as unknown as Api);
  const tabs = { open: vi.fn(), compare: vi.fn() };
  const showTensorBoard = vi.fn();
  const actions = new JobActions({ store, tabs: async () => tabs, showTensorBoard, visit: vi.fn() });
  return { actions, store, api, tabs, showTensorBoard };
}

test('cancelling names the job as the server knows it, then asks the server', async () => {
  const { actions, api, store } = begin();
  const done = actions.cancel('7');
  expect((await dialog()).textContent).toMatch(/Cancel digits~2\?.*What it has saved so far stays/);
  await pressInDialog('Cancel the job');
  await done;
  expect(api.cancel).toHaveBeenCalledWith('7');
  expect(store.refresh).toHaveBeenCalledOnce();
});

test('a job that has not begun has saved nothing that could stay', async () => {
  const { actions, store } = begin();
  store.change('7', { state: 'QUEUED' });
  const done = actions.cancel('7');
  expect((await dialog()).textContent).toContain('ends before it has begun.');
  await pressInDialog('Keep');
  await done;
});

test('who keeps a job cancels nothing', async () => {
  const { actions, api } = begin();
  const done = actions.cancel('7');
  await pressInDialog('Keep');
  await done;
  expect(api.cancel).not.toHaveBeenCalled();
});

test('a job that the server does not know is not even asked about', async () => {
  const { actions, api } = begin();
  await Promise.all([actions.cancel('8'), actions.remove('8'), actions.deploy('8')]);
  expect(document.querySelector('.jp-Dialog')).toBeNull();
  [api.cancel, api.deletionOf, api.deployJob].forEach(each => expect(each).not.toHaveBeenCalled());
});

test('deletion shows what will go', async () => {
  const { actions, api } = begin();
  const done = actions.remove('7');
  expect((await dialog()).textContent).toContain('its folder with 3 files');
  await pressInDialog('Delete');
  await done;
  expect(api.deleteJob).toHaveBeenCalledWith('7');
});

test('a refusal is told: what, why and what to do', async () => {
  const { actions, api } = begin({ deletionOf: vi.fn(() => Promise.reject(REFUSAL)) });
  const done = actions.remove('7');
  const shown = await dialog();
  await waitFor(() => expect(shown.textContent).toMatch(/It runs still\..*Epoch 3\..*Cancel it first: %ml_cancel <b>\./));
  expect(shown.querySelector('code')?.textContent).toBe('%ml_cancel <b>');
  await pressInDialog('Close');
  await done;
  expect(api.deleteJob).not.toHaveBeenCalled();
});

test('a deployment asks for the model’s name, and is followed', async () => {
  const { actions, api, store } = begin();
  const done = actions.deploy('7');
  const field = (await dialog()).querySelector('input') as HTMLInputElement;
  expect(field.value).toBe('digits');
  field.value = 'census';
  await pressInDialog('Deploy');
  await act(() => done);
  expect(api.deployJob).toHaveBeenCalledWith('7', 'census');
  expect(store.follow).toHaveBeenCalledWith(OPERATION);
});

test('TensorBoard opens what the server proxies', async () => {
  const { actions, showTensorBoard } = begin();
  await actions.tensorboard(['7']);
  expect(showTensorBoard).toHaveBeenCalledWith('/base/cloudml/v1/tensorboard/k/', 'digits~2');
});

test('jobs open as tabs', async () => {
  const { actions, tabs } = begin();
  actions.open('7');
  actions.openLogs('7');
  actions.compare(['7', '8']);
  await waitFor(() => expect(tabs.compare).toHaveBeenCalledWith(['7', '8']));
  expect(tabs.open.mock.calls).toEqual([['7'], ['7', 'log']]);
});

test('Python names this very job, by a variable that is one; repetitions belong to one model', () => {
  expect(pythonOf({ id: '17', name: 'class' })).toBe('from cloudml_magic import job\n\nclass_job = job("17")');
  expect(pythonOf({ id: '17', name: 'a"); import os #' })).toBe('from cloudml_magic import job\n\nfound_job = job("17")');
  expect([modelName('digits~12'), modelName('digits')]).toEqual(['digits', 'digits']);
});
