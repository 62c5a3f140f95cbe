/** What a model answered: pictures with bars of their classes, or a table; in a notebook, and where a model is tried. */

import { memo, useState } from 'react';
import type { PredictionDocument } from '../documents/generated';
import { percent } from '../wording';
import { Pages } from '../parts/log_area';
import { Button, Buttons } from '../parts/buttons';
import { pictureAddress } from './pictures';
import {
  asJson,
  asTable,
  hasPictures,
  headline,
  inputColumns,
  outputNames,
  type PredictedInstance,
  type PredictedOutput
} from './prediction_values';

const PICTURES_A_PAGE = 12;
const ROWS_A_PAGE = 20;
const BARS_OF_PICTURE = 5;
const BARS_OF_ROW = 3;

export const PredictionView = memo(function PredictionView({ prediction }: { prediction: PredictionDocument }): JSX.Element {
  const [page, setPage] = useState(0);
  const { instances, count, model, version, notes } = prediction;
  const isPictures = hasPictures(prediction);
  const size = isPictures ? PICTURES_A_PAGE : ROWS_A_PAGE;
  const last = Math.max(0, Math.ceil(instances.length / size) - 1);
  const first = Math.min(page, last) * size;
  const shown = instances.slice(first, first + size);
  const title = [model, version].filter(Boolean).join(' / ');
  return (
    <article className="cloudml-Card" aria-label={`Prediction of ${title}`}>
      <header className="cloudml-Header">
        <b className="cloudml-Name">{title}</b>
        <span className="cloudml-Muted cloudml-Place cloudml-Number">{headline(prediction)}</span>
        <span className="cloudml-Header-right">
          <CopyButtons prediction={prediction} />
        </span>
      </header>
      {notes.map((note, index) => (
        <p className="cloudml-Note" key={index}>
          {note}
        </p>
      ))}
      {isPictures ? <Tiles instances={shown} /> : <Table all={instances} shown={shown} first={first} />}
      {(last > 0 || count > instances.length) && (
        <footer className="cloudml-Foot">
          {last > 0 && <Pages page={first / size} last={last} count={instances.length} size={size} onPage={setPage} />}
          {count > instances.length && (
            <span className="cloudml-Muted cloudml-Number">
              and {(count - instances.length).toLocaleString('en')} more in the notebook’s variable
            </span>
          )}
        </footer>
      )}
    </article>
  );
});

function CopyButtons({ prediction }: { prediction: PredictionDocument }): JSX.Element {
  const [said, setSaid] = useState('');
  const copy = async (text: string, what: string): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid(`Copied as ${what}`);
    } catch {
      setSaid('The browser refused the clipboard');
    }
    setTimeout(() => setSaid(''), 2000);
  };
  return (
    <Buttons>
      <span className="cloudml-Muted" role="status">
        {said}
      </span>
      <Button onClick={() => copy(asTable(prediction), 'a table')}>Copy values</Button>
      <Button look="quiet" label="Copy values as JSON" onClick={() => copy(asJson(prediction), 'JSON')}>
        JSON
      </Button>
    </Buttons>
  );
}

function Tiles({ instances }: { instances: readonly PredictedInstance[] }): JSX.Element {
  const isTold = outputNames(instances).length > 1;
  return (
    <div className="cloudml-Tiles">
      {instances.map((instance, index) => (
        <div className="cloudml-Tile" key={index}>
          <Thumbnail instance={instance} />
          <div className="cloudml-Tile-words">
            <div className="cloudml-Muted cloudml-Tile-name" title={instance.name}>
              {instance.name}
            </div>
            {instance.outputs.map(output => (
              <Output key={output.name} output={output} most={BARS_OF_PICTURE} isNamed={isTold} />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}

function Thumbnail({ instance }: { instance: PredictedInstance }): JSX.Element {
  const address = pictureAddress(instance.thumbnail);
  return <span className="cloudml-Thumbnail">{address && <img src={address} alt={instance.name} />}</span>;
}

interface OutputProps {
  output: PredictedOutput | undefined;
  most: number;
  isNamed?: boolean;
}

function Output({ output, most, isNamed = false }: OutputProps): JSX.Element | null {
  if (!output) {
    return null;
  }
  return (
    <>
      {isNamed && <div className="cloudml-Muted">{output.name}</div>}
      {output.classes.length === 0 ? (
        <span className="cloudml-Answer cloudml-Number">{output.text}</span>
      ) : (
        <ol className="cloudml-Shares">
          {output.classes.slice(0, most).map(({ label, share }, index) => (
            <li key={index}>
              <span className="cloudml-Shares-label" title={label}>
                {label}
              </span>
              <span className="cloudml-Shares-track">
                <i style={{ width: `${100 * Math.min(1, Math.max(0, share ?? 0))}%` }} />
              </span>
              <span className="cloudml-Number">{percent(share)}</span>
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

interface TableProps {
  all: readonly PredictedInstance[];
  shown: readonly PredictedInstance[];
  first: number;
}

function Table({ all, shown, first }: TableProps): JSX.Element | null {
  if (!all.length) {
    return null;
  }
  const [inputs, outputs] = [inputColumns(all), outputNames(all)];
  const isNamed = all.some(instance => instance.name);
  const side = (isNumber: boolean): string => (isNumber ? 'cloudml-Number cloudml-mod-right' : '');
  const isNumeric = (name: string): boolean =>
    all.every(({ outputs: given }) =>
      given.every(output => output.name !== name || (!output.classes.length && isNumber(output.text)))
    );
  return (
    <div className="cloudml-TableBox" tabIndex={0} role="group" aria-label="Rows">
      <table className="cloudml-Table">
        <thead>
          <tr>
            <th scope="col" className="cloudml-mod-right">
              #
            </th>
            {isNamed && <th scope="col">name</th>}
            {inputs.map(column => (
              <th scope="col" key={column.name} className={side(column.isNumber)}>
                {column.name}
              </th>
            ))}
            {outputs.map(name => (
              <th scope="col" key={`output ${name}`} className={side(isNumeric(name))}>
                {outputs.length > 1 ? name : 'prediction'}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((instance, index) => (
            <tr key={index}>
              <td className="cloudml-Muted cloudml-Number cloudml-mod-right">{first + index}</td>
              {isNamed && <td>{instance.name}</td>}
              {inputs.map(({ name, isNumber: isRight }) => (
                <td key={name} className={side(isRight)}>
                  {instance.inputs.find(input => input.name === name)?.text}
                </td>
              ))}
              {outputs.map(name => (
                <td key={`output ${name}`} className={`cloudml-Table-output ${side(isNumeric(name))}`}>
                  <Output output={instance.outputs.find(output => output.name === name)} most={BARS_OF_ROW} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function isNumber(text: string): boolean {
  return text !== '' && Number.isFinite(Number(text.replace(/,/g, '')));
}
