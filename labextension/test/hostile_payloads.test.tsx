/** Fifty payloads in every field that a card shows: text stays text. */

import { cleanup, render } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { JobCard } from '../src/cards/job_card';
import { PredictionView } from '../src/cards/prediction_view';
import { readJob, readPrediction } from '../src/documents/check';
import { CompareView } from '../src/job_tab/compare_view';
import type { Api } from '../src/server/api';
import './canvas_of_tests';
import { aJob } from './job_examples';
import { actionsOfTests, StoreOfTests } from './live_page';

const ELEMENTS = ['img src=x', 'svg', 'body', 'iframe', 'input autofocus', 'details open', 'video', 'audio', 'marquee', 'object'];
const PAYLOADS = [
  ...ELEMENTS.map(element => `<${element} onerror=alert(1) onload=alert(1) onfocus=alert(1)>`),
  ...ELEMENTS.map(element => `"><${element} onmouseover="alert(1)">`),
  ...ELEMENTS.map(element => `</style></title></textarea><${element}>`),
  '<script>alert(1)</script>',
  '</script><script>alert(1)</script>',
  '<a href="javascript:alert(1)">click</a>',
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'https://evil.example/x.png',
  '<base href="https://evil.example/">',
  '<link rel=stylesheet href=//evil.example>',
  '<meta http-equiv=refresh content="0;url=//evil.example">',
  '<style>*{background:url(//evil.example)}</style>',
  '<button data-commandlinker-command="x">go</button>',
  '{{constructor.constructor("alert(1)")()}}',
  '${alert(1)}',
  '&lt;img src=x onerror=alert(1)&gt;',
  '\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007',
  '\u202e<tpircs>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<form action=//evil.example><button>send</button></form>',
  '<template><img src=x onerror=alert(1)></template>'
];
const FORBIDDEN = 'script,iframe,object,embed,link,meta,base,style,form,a,video,audio,body,marquee,math,template,noscript';

/** Each document with one of its strings replaced. */
function* poisoned(value: unknown, payload: string): Generator<unknown> {
  if (typeof value === 'string') {
    yield payload;
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const copy of poisoned(item, payload)) {
        yield value.map((other: unknown, place) => (place === index ? copy : other));
      }
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      for (const copy of poisoned(item, payload)) {
        yield { ...value, [key]: copy };
      }
    }
  }
}

const expectText = (node: Element): void => {
  expect(node.querySelectorAll(FORBIDDEN).length).toBe(0);
  for (const element of node.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(/^on|^href$|^srcdoc$|^action$|^data-commandlinker/);
      if (name === 'src') {
        expect(value).toMatch(/^data:image\/(png|jpeg|webp);base64,[A-Za-z0-9+/]+=*$/);
      }
      if (name === 'style') {
        expect(value).not.toMatch(/url|expression/);
      }
    }
  }
  expect(node.textContent).not.toMatch(/[\u001b\u202e]/);
};

const JOB = aJob({
  state: 'FAILED',
  rows: '3 rows',
  note: 'note',
  warnings: ['one', 'two'],
  failure: { message: 'm', next: 'n', cell: 'In [1]', cell_id: 'c', line: 1, source: [{ line: 1, text: 't' }] },
  cost: { amount: 1, per_hour: 1, currency: 'USD' },
  artifacts: ['export'],
  origin: { notebook: 'n.ipynb', cell: 'In [1]', cell_id: 'c' },
  parameters: [{ name: 'epochs', value: '3' }]
});
const PREDICTION = {
  schema: 1,
  model: 'm',
  version: 'v',
  where: 'w',
  signature: 's',
  count: 2,
  milliseconds: 1,
  requests: 1,
  notes: ['n'],
  instances: [
    {
      name: 'one',
      thumbnail: btoa('\u0089PNG\r\n\u001a\n and more bytes'),
      inputs: [{ name: 'i', text: 't', is_number: false }],
      outputs: [{ name: 'o', text: 't', classes: [{ label: 'l', share: 0.5 }] }]
    }
  ]
};

afterEach(cleanup);

describe('hostile payloads', () => {
  it('are fifty', () => expect(new Set(PAYLOADS).size).toBe(50));

  it.each(PAYLOADS)('%s stays text in a job', payload => {
    let shown = 0;
    for (const document of poisoned(JOB, payload)) {
      const job = readJob(document);
      if (job) {
        const store = new StoreOfTests(job);
        expectText(render(<JobCard payload={job} store={store} actions={actionsOfTests()} isShown />).container);
        shown += 1;
        cleanup();
      }
    }
    expect(shown).toBeGreaterThanOrEqual(12);
  });

  it.each(PAYLOADS)('%s stays text where jobs are side by side', payload => {
    const curves = [{ name: payload, steps: [1], values: [1], validation: [1] }];
    const parameters = [{ name: payload, value: payload }];
    const store = new StoreOfTests(readJob({ ...JOB, curves, parameters, name: payload, where: payload })!);
    store.api = { curves: () => Promise.resolve([]) } as unknown as Api;
    expectText(render(<CompareView ids={['7']} store={store} isShown smoothing={0} />).container);
  });

  it.each(PAYLOADS)('%s stays text in a prediction', payload => {
    let shown = 0;
    for (const isTable of [false, true]) {
      const base = isTable ? { ...PREDICTION, instances: [{ ...PREDICTION.instances[0]!, thumbnail: null }] } : PREDICTION;
      for (const document of poisoned(base, payload)) {
        const prediction = readPrediction(document);
        if (prediction) {
          expectText(render(<PredictionView prediction={prediction} />).container);
          shown += 1;
          cleanup();
        }
      }
    }
    expect(shown).toBeGreaterThanOrEqual(16);
  });
});
