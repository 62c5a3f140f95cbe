/** One version of a model: its aliases, what it serves, and what can be done with it. */

import type { ModelVersion, Operation } from '../../server/api';
import { ago } from '../../wording';
import { Banner } from '../../parts/banner';

export interface VersionRowProps {
  readonly version: ModelVersion;
  readonly now: number;
  readonly operation: Operation | null;
  onDeploy(): void;
  onUndeploy(): void;
  onRemove(): void;
}

export function VersionRow({ version, now, operation, onDeploy, onUndeploy, onRemove }: VersionRowProps) {
  const isBusy = operation !== null && !operation.done;
  const button = (words: string, onClick: () => void, look = 'cloudml-Button') => (
    <button type="button" className={look} disabled={isBusy} aria-label={`${words} ${version.title}`} onClick={onClick}>
      {words}
    </button>
  );
  return (
    <li className="cloudml-Version" aria-label={version.title}>
      <div className="cloudml-Version-line">
        <span className="cloudml-Dot" data-deployed={version.deployed !== null} aria-hidden="true" />
        <span className="cloudml-Version-name">{version.version}</span>
        {version.aliases.map(alias => (
          <span key={alias} className="cloudml-Alias">
            {alias}
          </span>
        ))}
        <span className="cloudml-Version-traffic">{version.deployed && `${version.deployed.traffic} %`}</span>
      </div>
      <p className="cloudml-Version-detail" title={version.artifact_uri}>
        {detailOf(version, now)}
      </p>
      {version.deployed?.message && (
        <p className="cloudml-Version-detail" title={version.deployed.message}>
          {version.deployed.message}
        </p>
      )}
      {isBusy && (
        <p className="cloudml-Stage" role="status">
          {operation.stage || (operation.kind === 'deploy' ? 'deploying' : 'undeploying')} …
        </p>
      )}
      {operation?.error && <Banner words={operation.error} />}
      <div className="cloudml-Version-buttons">
        {version.deployed ? button('Undeploy', onUndeploy) : button('Deploy', onDeploy)}
        {button('Delete', onRemove, 'cloudml-LinkButton')}
      </div>
    </li>
  );
}

/** `deployed 3 min ago · 1 replica · this machine`, or when it was made. */
function detailOf({ deployed, created }: ModelVersion, now: number): string {
  if (!deployed) {
    return `made ${ago(now - created)} · not deployed`;
  }
  const [least, most] = deployed.replicas;
  const replicas = least === most ? `${most} ${most === 1 ? 'replica' : 'replicas'}` : `${least} to ${most} replicas`;
  return [`deployed ${ago(now - deployed.since)}`, replicas, deployed.machine].filter(Boolean).join(' · ');
}
