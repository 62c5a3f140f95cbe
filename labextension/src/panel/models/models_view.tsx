/** The models: versions with what they serve, deploying and undeploying, and deletion in the server's own words. */

import { useCallback, useContext, useEffect, useState, type ReactNode } from 'react';
import type { PredictionDocument } from '../../documents/generated';
import type { Model, ModelVersion, Operation } from '../../server/api';
import type { ErrorParts } from '../../server/requests';
import { confirm, told } from '../../parts/dialogs';
import type { IJobStore } from '../../tokens/job_store';
import { Banner, wordsOf } from '../../parts/banner';
import { Shown, useNow, useSignal } from '../signals';
import { TryIt } from './try_it';
import { VersionRow } from './version_row';

export interface ModelsViewProps {
  readonly store: IJobStore;
  showAnswer(answer: PredictionDocument): ReactNode;
}

export function ModelsView({ store, showAnswer }: ModelsViewProps) {
  const { models, problem, load } = useModels(store);
  useSignal(store.operationChanged);
  const now = useNow(store, 30);

  const deploy = (title: string) => told(() => deployed(store, title));
  const undeploy = (title: string) => told(() => undeployed(store, title));
  const remove = (title: string) =>
    told(async () => {
      if (await removed(store, title)) {
        load();
      }
    });

  if (problem) {
    return <Banner words={problem} retry={load} />;
  }
  if (!models) {
    return <p className="cloudml-Empty">Looking for models …</p>;
  }
  return (
    <div className="cloudml-Models">
      {models.length === 0 && (
        <p className="cloudml-Empty">
          No models yet. Deploy a job that succeeded, by its menu or by <code>%ml_deploy</code>.
        </p>
      )}
      {models.map(model => (
        <section key={model.name} className="cloudml-Model" aria-label={model.name}>
          <h3>{model.name}</h3>
          {model.endpoint && (
            <p className="cloudml-Model-endpoint" title={model.endpoint}>
              endpoint {model.endpoint.split('/').at(-1)}
            </p>
          )}
          <ul>
            {model.versions.map(version => (
              <VersionRow
                key={version.title}
                version={version}
                now={now}
                operation={operationOn(store, version)}
                onDeploy={() => void deploy(version.title)}
                onUndeploy={() => void undeploy(version.title)}
                onRemove={() => void remove(version.title)}
              />
            ))}
          </ul>
          {model.versions.some(version => version.deployed) && (
            <TryIt api={store.api} title={model.name} showAnswer={showAnswer} />
          )}
        </section>
      ))}
      <NewModels store={store} models={models} />
    </div>
  );
}

/** What is being deployed and has no row yet, and what came to nothing: the latest of each name. */
function NewModels({ store, models }: { readonly store: IJobStore; readonly models: readonly Model[] }) {
  const titles = new Set(models.flatMap(model => model.versions.map(version => version.title)));
  const latest = new Map([...store.operations.values()].map(operation => [operation.title, operation]));
  return [...latest.values()]
    .filter(operation => !titles.has(operation.title) && (operation.error || !operation.done))
    .map(({ id, title, stage, error }) =>
      error ? (
        <Banner key={id} words={error} />
      ) : (
        <p key={id} className="cloudml-Stage" role="status">
          {title}: {stage || 'deploying'}
        </p>
      )
    );
}

interface Models {
  readonly models: readonly Model[] | null;
  readonly problem: ErrorParts | null;
  load(): void;
}

/** The models, asked for when the view is shown, when an operation ends, and when the number of deployed ones changes. */
function useModels(store: IJobStore): Models {
  const [models, setModels] = useState<readonly Model[] | null>(null);
  const [problem, setProblem] = useState<ErrorParts | null>(null);
  const load = useCallback(() => {
    store.api.models().then(
      found => {
        setModels(found);
        setProblem(null);
      },
      (refused: unknown) => setProblem(wordsOf(refused))
    );
  }, [store]);
  const deployed = store.status?.deployed;
  useSignal(store.overviewChanged);
  const isShown = useContext(Shown);
  useEffect(() => {
    if (isShown) {
      load();
    }
  }, [load, deployed, isShown]);
  useEffect(() => {
    const heard = (_: IJobStore, operation: Operation) => operation.done && load();
    store.operationChanged.connect(heard);
    return () => void store.operationChanged.disconnect(heard);
  }, [store, load]);
  return { models, problem, load };
}

function operationOn(store: IJobStore, { title }: ModelVersion): Operation | null {
  const operations = [...store.operations.values()].filter(operation => operation.title === title);
  const latest = operations.at(-1);
  return operations.find(operation => !operation.done) ?? (latest?.error ? latest : null);
}

/** What costs by the hour is begun by nobody's slip. */
async function deployed(store: IJobStore, title: string): Promise<void> {
  if (
    store.status?.target !== 'cloud' ||
    (await confirm(
      `Deploy ${title}?`,
      'In the cloud its machine costs by the hour, asked or not, until it is undeployed.',
      'Deploy'
    ))
  ) {
    store.follow(await store.api.deploy(title));
  }
}

async function undeployed(store: IJobStore, title: string): Promise<void> {
  if (
    await confirm(`Undeploy ${title}?`, 'It stops answering. The version itself stays, and can be deployed again.', 'Undeploy')
  ) {
    store.follow(await store.api.undeploy(title));
  }
}

/** Shows the server's words of what will go, and sends exactly these back. */
async function removed(store: IJobStore, title: string): Promise<boolean> {
  const words = await store.api.removalOf(title);
  if (!(await confirm(`Delete ${title}?`, words, 'Delete'))) {
    return false;
  }
  await store.api.deleteModel(title, words);
  return true;
}
