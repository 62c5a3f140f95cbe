/** How a deployment goes, in one line. */

import { coded } from './banner';
import type { Operation } from '../server/api';

export function OperationLine({ operation }: { operation: Operation }): JSX.Element {
  const { done, error, kind, result, stage, title } = operation;
  const verb = kind === 'deploy' ? 'Deploying' : 'Undeploying';
  const over = kind === 'deploy' ? 'Deployed' : 'Undeployed';
  return (
    <p className="cloudml-Note" role="status">
      {error ? (
        <>
          <b>{coded(error.what)}</b> {coded(error.why)} {coded(error.next)}
        </>
      ) : done ? (
        `${over} as ${result?.title ?? title}.`
      ) : (
        [`${verb} ${title}`, stage].filter(Boolean).join(' · ')
      )}
    </p>
  );
}
