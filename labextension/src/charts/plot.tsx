/** A line plot within React: one uPlot for its life, fed with values; its content in words and as a small table too. */

import { useEffect, useMemo, useRef } from 'react';
import { figure } from '../wording';
import { lastOf, type Lines } from './curve_lines';
import { LineChart } from './line';

const MOST_ROWS = 20;

export interface PlotProps {
  name: string;
  data: Lines;
  variant: 'card' | 'full';
  isLogarithmic?: boolean;
  /** The last step of the whole training, while it goes on. */
  lastStep?: number | null;
  syncKey?: string;
  onHover?: (index: number | null) => void;
}

export function Plot({ name, data, variant, isLogarithmic = false, lastStep = null, syncKey, onHover }: PlotProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<LineChart | null>(null);
  const hover = useRef(onHover);
  hover.current = onHover;
  useEffect(() => {
    chart.current = new LineChart(host.current!, {
      variant,
      ...(syncKey ? { syncKey } : {}),
      onHover: index => hover.current?.(index)
    });
    return () => chart.current?.dispose();
  }, [variant, syncKey]);
  useEffect(() => chart.current?.set(data, { isLogarithmic, lastStep }), [data, isLogarithmic, lastStep, variant, syncKey]);
  const keys = variant === 'full' ? ' Arrow keys move, plus and minus enlarge, zero resets.' : '';
  return (
    <div className={`cloudml-Plot cloudml-mod-${variant}`}>
      <div
        ref={host}
        className="cloudml-Plot-canvas"
        role="img"
        aria-label={inWords(name, data) + keys}
        {...(variant === 'full' ? { tabIndex: 0, 'data-lm-suppress-shortcuts': true } : {})}
      />
      <ValueTable name={name} data={data} />
    </div>
  );
}

/** What the plot shows, for whoever hears it. */
export function inWords(name: string, { steps, lines }: Lines): string {
  const values = lines.filter(line => !line.isFaint).map(line => `${line.label} ${told(name, lastOf(line.values)) || 'nothing'}`);
  return `${name}: ${steps.length} ${steps.length === 1 ? 'point' : 'points'}, at last ${values.join(', ')}.`;
}

/** A job that has no such step has no value there either. */
function told(name: string, value: number | null | undefined): string {
  return value === null || value === undefined ? '' : figure(name, value);
}

function ValueTable({ name, data }: { name: string; data: Lines }): JSX.Element {
  const rows = useMemo(() => chosen(data.steps.length), [data.steps.length]);
  const lines = data.lines.filter(line => !line.isFaint);
  return (
    <table className="cloudml-Hidden">
      <caption>{name}</caption>
      <thead>
        <tr>
          <th scope="col">step</th>
          {lines.map((line, place) => (
            <th scope="col" key={place}>
              {line.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(index => (
          <tr key={index}>
            <td>{data.steps[index]}</td>
            {lines.map((line, place) => (
              <td key={place}>{told(name, line.values[index])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** At most twenty rows, spread evenly, the last one always. */
function chosen(count: number): number[] {
  const rows = Math.min(count, MOST_ROWS);
  return Array.from({ length: rows }, (_, row) => (rows === 1 ? count - 1 : Math.round((row * (count - 1)) / (rows - 1))));
}
