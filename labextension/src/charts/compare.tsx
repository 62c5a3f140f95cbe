/** The curves of several jobs in one plot: one metric at a time, each job a colour of its own. */

import { useMemo, useRef, useState } from 'react';
import type { JobDocument } from '../documents/generated';
import { figure } from '../wording';
import { lastOf, linesOfJobs } from './curve_lines';
import { Plot } from './plot';
import { JOB_COLOURS } from './theme';
import { LogScaleToggle } from './log_scale_toggle';

type Curve = JobDocument['curves'][number];

/** More could not be told apart. */
export const MOST_COMPARED = JOB_COLOURS.length;

export interface ComparedJob {
  id: string;
  name: string;
  curves: readonly Curve[];
}

export interface CompareChartProps {
  jobs: readonly ComparedJob[];
  smoothing?: number;
}

/** Every metric that any of them has, in the order of the first that has it. */
export function metricsOf(jobs: readonly ComparedJob[]): string[] {
  return [...new Set(jobs.flatMap(job => job.curves.map(curve => curve.name)))];
}

export function CompareChart({ jobs, smoothing = 0 }: CompareChartProps): JSX.Element {
  const shown = useMemo(() => jobs.slice(0, MOST_COMPARED), [jobs]);
  const metrics = metricsOf(shown);
  const [wished, setWished] = useState('');
  const [isLogarithmic, setLogarithmic] = useState(false);
  const metric = metrics.includes(wished) ? wished : (metrics[0] ?? '');
  const plotted = useMemo(
    () =>
      shown.flatMap((job, index) => {
        const curve = job.curves.find(each => each.name === metric);
        return curve ? [{ name: job.name, id: job.id, curve, colour: JOB_COLOURS[index]! }] : [];
      }),
    [shown, metric]
  );
  const data = useMemo(() => linesOfJobs(plotted, smoothing), [plotted, smoothing]);
  const figures = useRef(new Map<string, HTMLElement>());
  const onHover = (index: number | null): void => {
    // Two jobs may have one name, so that lines are told by their order.
    const lines = data.lines.filter(line => !line.isFaint && !line.isDashed);
    for (const [place, { id, curve }] of plotted.entries()) {
      const value = index === null ? lastOf(curve.values) : (lines[place]?.values[index] ?? null);
      const node = figures.current.get(id);
      if (node) {
        node.textContent = value === null ? '' : figure(metric, value);
      }
    }
  };
  if (!metrics.length) {
    return <p className="cloudml-Muted">None of these jobs has curves yet.</p>;
  }
  return (
    <section className="cloudml-Compare" aria-label="Curves side by side">
      <div className="cloudml-Compare-head">
        <label>
          Metric{' '}
          <select value={metric} onChange={event => setWished(event.target.value)}>
            {metrics.map(name => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <LogScaleToggle isOn={isLogarithmic} onChange={setLogarithmic} />
      </div>
      <Plot name={metric} data={data} variant="full" isLogarithmic={isLogarithmic} onHover={onHover} />
      <ul className="cloudml-Compare-legend">
        {plotted.map(({ id, name, curve, colour }) => (
          <li key={id}>
            <span className="cloudml-Key" style={{ borderColor: `var(${colour})` }} />
            <span className="cloudml-Compare-name">{name}</span>
            <span
              className="cloudml-Number"
              ref={node => void (node ? figures.current.set(id, node) : figures.current.delete(id))}
            >
              {figure(metric, lastOf(curve.values))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
