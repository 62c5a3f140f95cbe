/** Buckets: names that hold anything, previews that are text or safe pictures, and uploads that replace nothing unasked. */

import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { folderAddress, nameWithin, objectAddress, sizeWords } from '../../src/panel/buckets/addresses';
import { BucketsView } from '../../src/panel/buckets/buckets_view';
import { pictureSource } from '../../src/panel/buckets/object_preview';
import type { Api, Listing } from '../../src/server/api';
import { RequestError } from '../../src/server/requests';
import { pressInDialog } from './asked';
import { expectAccessible, expectTextOnly, PAYLOADS } from './axe';
import { NOW } from './fake_store';

const HOSTILE = ['a b', '#?&=%2F', '..', '🦆.txt', '\u202egnp.exe', 'ملف.csv', ...PAYLOADS];

afterEach(() => {
  cleanup();
  document.querySelectorAll('.jp-Dialog').forEach(each => each.remove());
});

const object = (name: string) => ({ name, size: 1536, updated: NOW - 60, content_type: 'text/plain' });

function listing(part: Partial<Listing> = {}): Listing {
  return { folders: ['jobs'], objects: [object('notes.txt')], next_page: null, ...part };
}

function fakeApi(part: Partial<Api> = {}): Api {
  return {
    buckets: vi.fn(async () => [{ name: 'ada-bucket', created: null }]),
    objects: vi.fn(async () => listing()),
    preview: vi.fn(async () => ({ kind: 'text' as const, text: 'hello', cut: false })),
    content: vi.fn(async () => new Blob(['hello'])),
    upload: vi.fn(async () => ({ name: 'x', size: 1 })),
    ...part
  } as unknown as Api;
}

async function show(api: Api = fakeApi()) {
  const drawn = render(<BucketsView api={api} now={NOW} />);
  await press(await waitFor(() => screen.getByText('ada-bucket')));
  return { api, ...drawn };
}

const press = async (element: Element) => act(async () => void fireEvent.click(element));
const drop = async (...files: File[]) =>
  act(async () => void fireEvent.drop(document.querySelector('.cloudml-Folder') as Element, { dataTransfer: { files } }));
const exists = () => new RequestError(409, { reference: 'object-exists', what: 'It exists.', why: '', next: '' });

test('addresses are put together as they are, whatever a name holds', () => {
  expect(folderAddress('b', [])).toBe('gs://b/');
  expect(folderAddress('b', ['a b', '..'])).toBe('gs://b/a b/../');
  expect(objectAddress('b', ['f'], '#?x')).toBe('gs://b/f/#?x');
});

test('listed names are shown without their folder, whether the listing gives it or not', () => {
  expect([nameWithin(['a'], 'a/b.txt'), nameWithin(['a'], 'b.txt'), nameWithin(['a'], 'a/sub/')]).toEqual([
    'b.txt',
    'b.txt',
    'sub'
  ]);
});

test('sizes are words', () => {
  expect([18, 999, 1536, 36_000_000, 5e12].map(sizeWords)).toEqual(['18 B', '999 B', '1.5 KB', '34 MB', '4.5 TB']);
});

test('folders are walked one level at a time, and back by the breadcrumb', async () => {
  const { api } = await show();
  await press(screen.getByText('jobs'));
  expect(api.objects).toHaveBeenLastCalledWith('gs://ada-bucket/jobs/');
  await press(within(screen.getByRole('navigation')).getByText('ada-bucket'));
  expect(api.objects).toHaveBeenLastCalledWith('gs://ada-bucket/');
  expect(screen.getByText('1.5 KB')).toBeTruthy();
  expect(screen.getByText('1 min ago')).toBeTruthy();
});

test('a long folder is shown page by page', async () => {
  const objects = vi
    .fn<Api['objects']>()
    .mockResolvedValueOnce(listing({ next_page: 'T' }))
    .mockResolvedValueOnce(listing({ folders: [], objects: [object('later.txt')] }));
  await show(fakeApi({ objects }));
  await press(screen.getByRole('button', { name: 'More' }));
  expect(objects).toHaveBeenLastCalledWith('gs://ada-bucket/', 'T');
  expect(screen.getByText('later.txt')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'More' })).toBeNull();
});

test.each(HOSTILE)('the name %s is text, and its address is asked for as it is', async name => {
  const { api, container } = await show(
    fakeApi({ objects: vi.fn(async () => listing({ folders: [name], objects: [object(`${name}x`)] })) })
  );
  await press(screen.getByText(`${name}x`));
  expect(api.preview).toHaveBeenCalledWith(`gs://ada-bucket/${name}x`);
  await press(screen.getByText(name));
  expect(api.objects).toHaveBeenLastCalledWith(`gs://ada-bucket/${name}/`);
  expectTextOnly(container);
});

test.each(PAYLOADS)('the text %s is previewed as text', async text => {
  const { container } = await show(fakeApi({ preview: vi.fn(async () => ({ kind: 'text' as const, text, cut: true })) }));
  await press(screen.getByText('notes.txt'));
  expect(container.querySelector('pre')?.textContent).toBe(text);
  expect(screen.getByText(/Only the beginning/)).toBeTruthy();
  expectTextOnly(container);
});

test('only pictures that hold no script become addresses', () => {
  expect(pictureSource('image/png', 'YWJj')).toBe('data:image/png;base64,YWJj');
  expect(pictureSource('image/svg+xml', 'YWJj')).toBeNull();
  expect(pictureSource('text/html', 'YWJj')).toBeNull();
  expect(pictureSource('image/png', '"><script>')).toBeNull();
});

test('what cannot be shown says why', async () => {
  await show(fakeApi({ preview: vi.fn(async () => ({ kind: 'none' as const, why: 'It is no text.' })) }));
  await press(screen.getByText('notes.txt'));
  expect(screen.getByText('It is no text.')).toBeTruthy();
});

test('a download is a blob of our own making under the object’s name', async () => {
  const clicked = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    expect([this.href, this.download]).toEqual(['blob:own', 'notes.txt']);
  });
  Object.assign(URL, { createObjectURL: () => 'blob:own', revokeObjectURL: () => {} });
  const { api } = await show();
  await press(screen.getByRole('button', { name: 'Download notes.txt' }));
  expect(api.content).toHaveBeenCalledWith('gs://ada-bucket/notes.txt');
  expect(clicked).toHaveBeenCalledOnce();
});

test('dropped files are sent one after the other, and the folder is read anew', async () => {
  const { api } = await show();
  await drop(new File(['a'], 'one.txt'), new File(['b'], 'two #?.txt'));
  await waitFor(() => expect(screen.getAllByText(/uploaded/)).toHaveLength(2));
  expect(vi.mocked(api.upload).mock.calls.map(([address]) => address)).toEqual([
    'gs://ada-bucket/one.txt',
    'gs://ada-bucket/two #?.txt'
  ]);
  expect(api.objects).toHaveBeenCalledTimes(2);
});

test('a folder is not sent, and said to be one', async () => {
  const { api } = await show();
  const files = [new File([], 'pictures'), new File(['b'], 'two.txt')];
  const items = [true, false].map((isDirectory, at) => ({ webkitGetAsEntry: () => ({ isDirectory, name: files[at]?.name }) }));
  const folder = document.querySelector('.cloudml-Folder') as Element;
  await act(async () => void fireEvent.drop(folder, { dataTransfer: { files, items } }));
  await waitFor(() => screen.getByText(/: uploaded/));
  expect(screen.getByText(/: is a folder; drop its files/)).toBeTruthy();
  expect(api.upload).toHaveBeenCalledOnce();
});

test('an existing object is replaced only by who agrees', async () => {
  const upload = vi.fn<Api['upload']>().mockRejectedValueOnce(exists()).mockResolvedValueOnce({ name: 'x', size: 1 });
  await show(fakeApi({ upload }));
  const file = new File(['a'], 'notes.txt');
  await drop(file);
  await pressInDialog('Replace');
  await waitFor(() => screen.getByText(/: replaced/));
  expect(upload).toHaveBeenLastCalledWith('gs://ada-bucket/notes.txt', file, true);
});

test('who keeps an object replaces nothing', async () => {
  const upload = vi.fn<Api['upload']>().mockRejectedValueOnce(exists());
  await show(fakeApi({ upload }));
  await drop(new File(['a'], 'notes.txt'));
  await pressInDialog('Keep');
  await waitFor(() => screen.getByText(/kept as it was/));
  expect(upload).toHaveBeenCalledOnce();
});

test('everybody can use it', async () => {
  const { container } = await show();
  await press(screen.getByText('notes.txt'));
  await expectAccessible(container);
});
