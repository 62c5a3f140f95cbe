/** The curves of a card: three small plots that show one crosshair together. */

import { memo, useId, useMemo, useRef, useState } from 'react';
import { lastOf, linesOfCurve } from '../charts/curve_lines';
import { Plot } from '../charts/plot';
import type { JobDocument } from '../documents/generated';
import { figure, isFinal } from '../wording';
import { LogScaleToggle } from '../charts/log_scale_toggle';

type Curve = JobDocument['curves'][number];

const MOST_PLOTS = 3;

export interface JobChartsProps {
  curves: JobDocument['curves'];
  state: JobDocument['state'];
  epochs: number | null;
  isReserved: boolean;
  smoothing: number;
}

export const JobCharts = memo(function JobCharts({
  curves,
  state,
  epochs,
  isReserved,
  smoothing
}: JobChartsProps): JSX.Element | null {
  const [isLogarithmic, setLogarithmic] = useState(false);
  const card = useId();
  if (!curves.length) {
    return isReserved ? <div className="cloudml-Charts cloudml-mod-empty" /> : null;
  }
  const rest = curves.slice(MOST_PLOTS);
  return (
    <div className="cloudml-Charts">
      {curves.slice(0, MOST_PLOTS).map(curve => (
        <CurvePlot
          key={curve.name}
          curve={curve}
          variant="card"
          syncKey={card}
          isLogarithmic={isLogarithmic}
          lastStep={isFinal(state) ? null : epochs}
          smoothing={smoothing}
        />
      ))}
      <div className="cloudml-Legend">
        <LineKeys curves={curves} />
        <LogScaleToggle isOn={isLogarithmic} onChange={setLogarithmic} />
      </div>
      {rest.length > 0 && (
        <div className="cloudml-Charts-rest cloudml-Number">
          {rest.map(curve => `${curve.name} ${figure(curve.name, lastOf(curve.values))}`).join(' · ')}
        </div>
      )}
    </div>
  );
});

/** Which line is which, where there are two kinds. */
export function LineKeys({ curves }: { curves: readonly Curve[] }): JSX.Element | null {
  if (!curves.some(curve => curve.validation)) {
    return null;
  }
  return (
    <>
      <span>
        <i className="cloudml-Key" /> train
      </span>
      <span>
        <i className="cloudml-Key cloudml-mod-validation" /> validation
      </span>
    </>
  );
}

export interface CurvePlotProps {
  curve: Curve;
  variant: 'card' | 'full';
  syncKey?: string;
  isLogarithmic: boolean;
  lastStep: number | null;
  smoothing: number;
}

/** A metric with its last values, in whose place those under the crosshair stand while there is one. */
export const CurvePlot = memo(function CurvePlot({ curve, smoothing, ...plot }: CurvePlotProps): JSX.Element {
  const data = useMemo(() => linesOfCurve(curve, smoothing), [curve, smoothing]);
  const step = useRef<HTMLSpanElement>(null);
  const train = useRef<HTMLSpanElement>(null);
  const validation = useRef<HTMLSpanElement>(null);
  const [last, lastTwin] = [lastOf(curve.values), curve.validation && lastOf(curve.validation)];
  const write = (node: HTMLSpanElement | null, value: number | null | undefined): void => {
    if (node) {
      node.textContent = value === null || value === undefined ? '' : figure(curve.name, value);
    }
  };
  const onHover = (index: number | null): void => {
    if (step.current) {
      step.current.textContent = index === null ? '' : `at ${curve.steps[index] ?? ''}`;
    }
    write(train.current, index === null ? last : curve.values[index]);
    write(validation.current, index === null ? lastTwin : curve.validation?.[index]);
  };
  return (
    <figure className={`cloudml-Curve cloudml-mod-${plot.variant}`}>
      <figcaption>
        <span className="cloudml-Curve-name" title={curve.name}>
          {curve.name}
        </span>
        <span ref={step} className="cloudml-Muted cloudml-Number" />
        <span ref={train} className="cloudml-Number">
          {last === null ? '' : figure(curve.name, last)}
        </span>
        {curve.validation && (
          <span ref={validation} className="cloudml-Number cloudml-Curve-validation">
            {lastTwin === null ? '' : figure(curve.name, lastTwin)}
          </span>
        )}
      </figcaption>
      <Plot name={curve.name} data={data} onHover={onHover} {...plot} />
    </figure>
  );
});
