/** Several jobs side by side: one metric's curves in one plot, parameters and last figures as a table. */

import { useEffect, useMemo, useState } from 'react';
import { Banner } from '../parts/banner';
import { StateDot } from '../parts/state_dot';
import { useJobs } from '../cards/use_job';
import { CompareChart, MOST_COMPARED, metricsOf } from '../charts/compare';
import { lastOf } from '../charts/curve_lines';
import type { JobDocument } from '../documents/generated';
import type { Curve } from '../server/api';
import type { IJobStore } from '../tokens/job_store';
import { figure } from '../wording';
import { joined } from './use_full_curves';

export interface CompareViewProps {
  ids: readonly string[];
  store: IJobStore;
  isShown: boolean;
  smoothing: number;
}

export function CompareView({ ids, store, isShown, smoothing }: CompareViewProps): JSX.Element {
  const compared = useMemo(() => ids.slice(0, MOST_COMPARED), [ids]);
  useJobs(store, compared, isShown);
  const full = useCurvesOf(store, compared);
  const jobs = compared.flatMap(id => store.document(id) ?? []);
  const key = jobs.map(job => `${job.id}@${job.updated_at}`).join();
  const plotted = useMemo(
    () => jobs.map(job => ({ id: job.id, name: job.name, curves: joined(full.get(job.id) ?? [], job.curves) })),
    // The documents are new objects each time; what they say is told by their key.
    [key, full]
  );
  const { state, words } = store.health;
  return (
    <div className="cloudml-Job">
      <header className="cloudml-Header">
        <b className="cloudml-Name">{jobs.map(job => job.name).join(', ') || 'Loading …'}</b>
      </header>
      {words && state !== 'unknown' && <Banner words={words} retry={() => store.refresh()} />}
      <CompareChart jobs={plotted} smoothing={smoothing} />
      <SideBySide jobs={jobs} metrics={metricsOf(plotted)} />
    </div>
  );
}

/** The whole curves of each, one request after the other, as they come. */
function useCurvesOf(store: IJobStore, ids: readonly string[]): ReadonlyMap<string, readonly Curve[]> {
  const [full, setFull] = useState<ReadonlyMap<string, readonly Curve[]>>(new Map());
  useEffect(() => {
    let isGone = false;
    const load = async (): Promise<void> => {
      for (const id of ids) {
        const curves = await store.api.curves(id).catch(() => []);
        if (isGone) {
          return;
        }
        setFull(before => new Map(before).set(id, curves));
      }
    };
    void load();
    return () => void (isGone = true);
  }, [store, ids]);
  return full;
}

interface Row {
  name: string;
  cells: string[];
  isFigure: boolean;
}

function SideBySide({ jobs, metrics }: { jobs: readonly JobDocument[]; metrics: readonly string[] }): JSX.Element {
  const rows = rowsOf(jobs, metrics);
  return (
    <div className="cloudml-TableBox" tabIndex={0} role="group" aria-label="Side by side">
      <table className="cloudml-Table cloudml-SideBySide">
        <thead>
          <tr>
            <td />
            {jobs.map(job => (
              <th scope="col" key={job.id}>
                <StateDot state={job.state} isBare /> {job.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={`${row.isFigure} ${row.name}`} data-differs={!row.isFigure && new Set(row.cells).size > 1}>
              <th scope="row">{row.name}</th>
              {row.cells.map((cell, index) => (
                <td key={index} className={row.isFigure ? 'cloudml-Number' : ''}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The last figures of each metric, then where it ran, then every parameter that any of them has. */
export function rowsOf(jobs: readonly JobDocument[], metrics: readonly string[]): Row[] {
  const last = (job: JobDocument, metric: string, isTwin: boolean): string => {
    const curve = job.curves.find(each => each.name === metric);
    const value = lastOf((isTwin ? curve?.validation : curve?.values) ?? []);
    return value === null ? '' : figure(metric, value);
  };
  const figures = metrics.flatMap(metric =>
    [false, true].map(isTwin => ({
      name: isTwin ? `val_${metric}` : metric,
      cells: jobs.map(job => last(job, metric, isTwin)),
      isFigure: true
    }))
  );
  const names = [...new Set(jobs.flatMap(job => job.parameters.map(parameter => parameter.name)))];
  const parameters = names.map(name => ({
    name,
    cells: jobs.map(job => job.parameters.find(parameter => parameter.name === name)?.value ?? ''),
    isFigure: false
  }));
  // A device is compared where each has named one.
  const places = jobs.map(job => job.where.split(' · '));
  const named = Math.min(...places.map(parts => parts.length));
  const where = { name: 'where', cells: places.map(parts => parts.slice(0, named).join(' · ')), isFigure: false };
  return [...figures.filter(row => row.cells.some(Boolean)), where, ...parameters];
}
