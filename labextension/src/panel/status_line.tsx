/** The last line of the panel: how the platform is, what runs, and what that costs. */

import type { Status } from '../server/api';
import { money } from '../wording';

export function StatusLine({ status }: { readonly status: Status | null }) {
  if (!status) {
    return <div className="cloudml-StatusLine">Asking the Jupyter server …</div>;
  }
  const { state, words } = status.platform;
  return (
    <div className="cloudml-StatusLine" title={words}>
      <span className="cloudml-Dot" data-platform={state} aria-hidden="true" />
      <span className="cloudml-StatusLine-words">
        {platformWord(status)}
        {(state === 'up' || status.target === 'cloud' || status.running + status.queued > 0) && <b>{runningWords(status)}</b>}
      </span>
      <span className="cloudml-StatusLine-cost">{costWords(status)}</span>
    </div>
  );
}

function platformWord({ target, platform }: Status): string {
  if (target === 'cloud' && platform.state !== 'unreachable') {
    // Nothing of this machine is needed there.
    return 'Cloud, ';
  }
  if (platform.state !== 'up') {
    return `${platform.words || (platform.state === 'stopped' ? 'Platform stopped.' : 'Platform does not answer.')} `;
  }
  return 'Platform up, ';
}

/** `1 running, 2 queued`; `nothing runs` where nothing does. */
export function runningWords({ running, queued }: Pick<Status, 'running' | 'queued'>): string {
  const parts = [running ? `${running} running` : '', queued ? `${queued} queued` : ''].filter(Boolean);
  return parts.join(', ') || 'nothing runs';
}

function costWords({ cost_per_hour, currency }: Status): string {
  return cost_per_hour === null ? '' : `${money(cost_per_hour, currency ?? 'USD')} / h`;
}
