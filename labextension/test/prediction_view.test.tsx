/** The prediction card: headline, bars, tables, pages, and what goes to the clipboard. */

import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { pictureAddress } from '../src/cards/pictures';
import { PredictionView } from '../src/cards/prediction_view';
import { asJson, asTable } from '../src/cards/prediction_values';
import type { PredictionDocument } from '../src/documents/generated';

const PNG = btoa('\u0089PNG\r\n\u001a\n and more bytes');
type Instance = PredictionDocument['instances'][number];

const aPicture = (name: string, thumbnail: string | null = PNG): Instance => ({
  name,
  thumbnail,
  inputs: [],
  outputs: [
    {
      name: 'p',
      text: '',
      classes: [
        { label: 'opera', share: 0.997 },
        { label: 'capitol', share: 0.003 }
      ]
    }
  ]
});
const aRow = (index: number): Instance => ({
  name: '',
  thumbnail: null,
  inputs: [
    { name: 'age', text: String(index), is_number: true },
    { name: 'work', text: 'private', is_number: false }
  ],
  outputs: [{ name: 'income', text: '0.25', classes: [] }]
});
const a = (instances: Instance[], fields: Partial<PredictionDocument> = {}): PredictionDocument => ({
  schema: 1,
  model: 'opera-capitol',
  version: 'v3',
  where: 'this machine',
  signature: '',
  count: instances.length,
  milliseconds: 41,
  requests: 1,
  notes: [],
  instances,
  ...fields
});

afterEach(cleanup);

describe('a prediction card', () => {
  it('says what answered, how fast and where', () => {
    const { container } = render(<PredictionView prediction={a(['a', 'b', 'c'].map(name => aPicture(name)))} />);
    expect(container.querySelector('header')?.textContent).toContain(
      'opera-capitol / v33 pictures · 41 ms · served on this machine'
    );
    expect(screen.getAllByText('99.7 %').length).toBe(3);
    expect(screen.getByAltText('a').getAttribute('src')).toBe(`data:image/png;base64,${PNG}`);
  });

  it('lines numbers up at the right', () => {
    const { container } = render(<PredictionView prediction={a([aRow(1), aRow(2)])} />);
    const heads = [...container.querySelectorAll('th')].map(cell => [cell.textContent, cell.className.includes('right')]);
    expect(heads).toEqual([
      ['#', true],
      ['age', true],
      ['work', false],
      ['prediction', true]
    ]);
  });

  it('turns pages where there is more than a screenful', () => {
    render(
      <PredictionView
        prediction={a(
          Array.from({ length: 60 }, (_, index) => aPicture(`p${index}`)),
          { count: 70 }
        )}
      />
    );
    expect(screen.getByText('1–12 of 60')).toBeTruthy();
    expect(screen.getByText(/and 10 more/)).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Next' }));
    expect(screen.getByText('13–24 of 60')).toBeTruthy();
    expect(screen.getByAltText('p12')).toBeTruthy();
    expect(screen.queryByAltText('p0')).toBeNull();
  });

  it('copies its values as a table or as JSON', async () => {
    const writeText = vi.fn(() => Promise.resolve());
    Object.assign(navigator, { clipboard: { writeText } });
    render(<PredictionView prediction={a([aRow(1)])} />);
    await act(async () => void fireEvent.click(screen.getByRole('button', { name: 'Copy values' })));
    expect(writeText).toHaveBeenCalledWith('age\twork\tincome\n1\tprivate\t0.25');
    expect(screen.getByText('Copied as a table')).toBeTruthy();
    expect(JSON.parse(asJson(a([aRow(1)]))).instances[0].inputs).toEqual([
      ['age', '1'],
      ['work', 'private']
    ]);
  });

  it('hands no formula and no line of its own to a spreadsheet', () => {
    const row = {
      ...aRow(1),
      inputs: [
        { name: 'x', text: '=cmd()\tnext\nline', is_number: false },
        { name: 'y', text: '-1.5', is_number: true }
      ]
    };
    expect(asTable(a([row])).split('\n')[1]).toBe("'=cmd() next line\t-1.5\t0.25");
  });
});

describe('a thumbnail', () => {
  it.each([
    ['PNG', PNG, 'data:image/png'],
    ['JPEG', btoa('\u00ff\u00d8\u00ff\u00e0 and more bytes'), 'data:image/jpeg'],
    ['WebP', btoa('RIFF1234WEBPVP8 more bytes'), 'data:image/webp']
  ])('of %s is shown', (_, base64, begin) => expect(pictureAddress(base64)?.startsWith(begin)).toBe(true));

  it.each([
    ['SVG', btoa('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
    ['HTML', btoa('<html><script>alert(1)</script></html>')],
    ['GIF', btoa('GIF89a and more bytes')],
    ['an address', 'https://example.com/x.png'],
    ['an address that ends the attribute', `${PNG}" onerror="alert(1)`],
    ['nothing', ''],
    ['null', null]
  ])('of %s is not', (_, base64) => expect(pictureAddress(base64)).toBeNull());
});
